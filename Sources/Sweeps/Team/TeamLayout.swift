/// Who works with whom in a team: blocks of ranks that share memory, and across the blocks those
/// of one place.
///
/// Blocks are aligned, and their size is a power of two, as is the team's: so the sums within blocks
/// and then over blocks are one binary tree over the ranks.
package struct TeamLayout: Hashable, Sendable {
  /// Ranks of a block; 1 where none share memory.
  package let blockSize: Int
  /// The positions in the team of this rank's block, in order.
  package let block: Range<Int>
  /// The positions, in order, of the ranks at this rank's place in their blocks.
  package let across: [Int]

  /// `nodes` has the node of each rank of the team; `position` is this rank's.
  ///
  /// Blocks are as large as they can be, up to `limit`.
  package init(nodes: [Int], position: Int, limit: Int = .max) {
    var size = nodes.count
    while size > 1 && (size > limit || !Self.fit(nodes, size)) { size /= 2 }
    blockSize = size
    let start = position / size * size
    block = start..<start + size
    across = Array(stride(from: position % size, to: nodes.count, by: size))
  }

  private static func fit(_ nodes: [Int], _ size: Int) -> Bool {
    stride(from: 0, to: nodes.count, by: size).allSatisfy { start in
      nodes[start..<start + size].allSatisfy { $0 == nodes[start] }
    }
  }
}
