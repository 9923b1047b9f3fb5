/// Sequences by number, each of its own length.
package protocol SequenceLengths {
  var count: Int { get }
  func steps(of index: Int) -> Int
}

extension PianoRolls: SequenceLengths {}

/// The batches of one pass over a set of sequences: groups of rows, each cut into pieces in time.
package struct PiecePlan {
  /// One batch: the steps from `firstStep` on of the sequences in `rows`.
  package struct Piece: Hashable {
    /// Positions in `sequences`.
    let rows: Range<Int>
    let firstStep: Int
    let steps: Int
  }

  package let sequences: [Int]
  package let pieces: [Piece]

  /// Cuts `groups`, ranges of `sequences`, into pieces of at most `unroll` steps; 0 leaves them
  /// whole.
  package init(sequences: [Int], groups: [Range<Int>], unroll: Int, lengths: some SequenceLengths) {
    self.sequences = sequences
    var pieces: [Piece] = []
    for rows in groups {
      let longest = rows.reduce(0) { max($0, lengths.steps(of: sequences[$1])) }
      let length = unroll == 0 ? longest : unroll
      for first in stride(from: 0, to: longest, by: length) {
        pieces.append(Piece(rows: rows, firstStep: first, steps: min(length, longest - first)))
      }
    }
    self.pieces = pieces
  }

  /// The pass of an evaluation: every sequence once, longest first so that little is padding.
  package static func evaluation(of lengths: some SequenceLengths, batchSize: Int, unroll: Int)
    -> PiecePlan
  {
    let sequences = Self.byLength(Array(0..<lengths.count), lengths)
    let groups = stride(from: 0, to: lengths.count, by: batchSize).map {
      $0..<min($0 + batchSize, lengths.count)
    }
    return PiecePlan(sequences: sequences, groups: groups, unroll: unroll, lengths: lengths)
  }

  /// The pass of a training epoch in the drawn `order`.
  ///
  /// Every `pool` batches are sorted by length among themselves before they are cut apart, then all
  /// batches of the epoch are shuffled by `draws`. Sequences that do not fill a batch wait for
  /// another epoch, unless there is no other batch.
  package static func training(
    order: UnsafeBufferPointer<Int32>, of lengths: some SequenceLengths, batchSize: Int, pool: Int,
    unroll: Int, draws: inout PhiloxStream
  ) -> PiecePlan {
    let rows = min(batchSize, order.count)
    let batches = order.count / rows
    var sequences = order.prefix(batches * rows).map(Int.init)
    for first in stride(from: 0, to: sequences.count, by: pool * rows) {
      let range = first..<min(first + pool * rows, sequences.count)
      if pool > 1 { sequences.replaceSubrange(range, with: byLength(sequences[range], lengths)) }
    }
    var groups = (0..<batches).map { $0 * rows..<($0 + 1) * rows }
    draws.shuffle(&groups)
    return PiecePlan(sequences: sequences, groups: groups, unroll: unroll, lengths: lengths)
  }

  /// Longest first; ties keep their order.
  private static func byLength(_ sequences: some Sequence<Int>, _ lengths: some SequenceLengths)
    -> [Int]
  {
    let ranked = sequences.enumerated().sorted { a, b in
      let (left, right) = (lengths.steps(of: a.element), lengths.steps(of: b.element))
      return left == right ? a.offset < b.offset : left > right
    }
    return ranked.map(\.element)
  }
}

/// Where updates are in epochs that differ in their number of batches: each epoch is counted once.
struct EpochPlaces {
  /// The first update of each epoch known so far, and the one after them.
  private var starts = [0]

  /// The epoch of `update` and its number within it; `batches` counts those of an epoch.
  mutating func place(
    of update: Int, batches: (_ epoch: Int) -> Int
  ) -> (epoch: Int, index: Int) {
    while starts[starts.count - 1] <= update {
      let epoch = starts.count - 1
      starts.append(starts[epoch] + batches(epoch))
    }
    // The last start that is not after the update; a run asks for the newest epoch.
    var epoch = starts.count - 2
    while starts[epoch] > update { epoch -= 1 }
    return (epoch, update - starts[epoch])
  }
}
