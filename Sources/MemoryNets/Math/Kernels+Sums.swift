import CKernels

extension Kernels {
  /// The most sources of `sumTree`.
  package static let sourceLimit = Int(MS_SOURCES)

  /// Overwrites the `count` elements at `destination` by the sums of those at the sources, as a binary
  /// tree, neighbours first: ((0 + 1) + (2 + 3)) + ...
  ///
  /// The number of sources is a power of two; `destination` may be one of them. As in training, what
  /// is below the smallest normal number counts as 0.
  package func sumTree(
    _ sources: UnsafePointer<UnsafeMutableRawPointer?>, sourceCount: Int,
    into destination: UnsafeMutableRawPointer, count: Int
  ) {
    precondition(
      sourceCount.nonzeroBitCount == 1 && sourceCount <= Self.sourceLimit, "\(sourceCount) sources")
    let denormals = ms_flush_denormals()
    defer { ms_restore_denormals(denormals) }
    var destination: UnsafeMutableRawPointer? = destination
    table.pointee.tree_sum(sources, Int64(sourceCount), &destination, 1, Int64(count))
  }

  /// Adds the `count` elements at `source` to those at `destination`, like `sumTree`.
  package func add(
    _ source: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, count: Int
  ) {
    let denormals = ms_flush_denormals()
    defer { ms_restore_denormals(denormals) }
    table.pointee.add_to(destination, source, Int64(count))
  }
}
