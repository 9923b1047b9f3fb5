import CTestSupport

/// Counts what this thread asks the heap for, whatever other tests do at the same time.
///
///     @Test(.enabled(if: Allocations.areCounted, Allocations.skipReason))
///     func nothingIsAllocated() {
///       #expect(Allocations.during { work() }.count == 0)
package struct Allocations: Sendable {
  /// How often memory was asked for.
  package let count: Int
  /// Bytes held at the end and not at the start.
  package let bytes: Int
  /// The most that was held at once.
  package let peak: Int

  package static var areCounted: Bool { ms_can_count_allocations() != 0 }
  package static let skipReason: String = "allocations are counted with glibc only"

  /// What `body` allocates on this thread; not to be nested.
  package static func during(_ body: () throws -> Void) rethrows -> Allocations {
    ms_start_counting_allocations()
    defer { _ = ms_stop_counting_allocations() }
    try body()
    return soFar
  }

  /// Within `during`: what was counted so far.
  package static var soFar: Allocations {
    let counted = ms_counted_allocations()
    return Allocations(
      count: Int(counted.allocations), bytes: Int(counted.bytes), peak: Int(counted.peak))
  }

  /// Within `during`: lets the peak begin anew.
  package static func resetPeak() { ms_reset_peak_of_allocations() }
}
