import Foundation
import MemoryNets

/// Waits for what other ranks do: looks again and again at once, then gives way, then sleeps, and in
/// the end gives up.
package struct Patience {
  /// After so long the others are taken for silent.
  package var seconds: Double
  /// Called now and then during a long wait; false calls it off.
  package var meanwhile: () -> Bool = { true }

  /// Between two looks it gives way to other processes for so long before it sleeps.
  private let yieldSeconds: Double

  /// Where more ranks than cores wait `isCrowded`: who waits leaves its core to the others.
  package init(seconds: Double, isCrowded: Bool = false) {
    self.seconds = seconds
    yieldSeconds = isCrowded ? 2e-5 : 2e-2
  }

  /// Looks so often at once.
  private static let looks = 100

  /// Returns once `isReady`; `missing` names the ranks of the team that are not, for the error.
  func wait(
    missing: () -> [Int], until isReady: () throws(TeamError) -> Bool
  ) throws(TeamError) {
    for _ in 0..<Self.looks where try isReady() { return }
    var waited = 0.0
    var last = Self.now
    var microseconds: UInt32 = 50
    while try !isReady() {
      let now = Self.now
      // Time in which this process itself stood still is nobody's silence.
      waited += min(now - last, 0.1)
      last = now
      if waited < yieldSeconds {
        sched_yield()
        continue
      }
      guard waited < seconds else { throw .silent(ranks: missing(), seconds: seconds) }
      guard meanwhile() else { throw .failed("the team was called off") }
      usleep(microseconds)
      microseconds = min(2 * microseconds, 1000)
    }
  }

  /// Of a clock that only goes forward.
  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
