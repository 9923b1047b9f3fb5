import Foundation

/// Seconds since 1970 that never step back: the date at the start, then a monotonic clock.
package struct RunClock: Sendable {
  private let offset: Double

  package init() {
    var date = timespec()
    clock_gettime(CLOCK_REALTIME, &date)
    offset = Double(date.tv_sec) + 1e-9 * Double(date.tv_nsec) - RunClock.monotonic()
  }

  package var now: Double { offset + RunClock.monotonic() }

  private static func monotonic() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}

/// Waits between two looks for messages: 50 microseconds at first, doubling to 2 milliseconds.
///
/// A rank blocked in a receive would burn a core; the longest wait costs 2 % of one.
package struct Backoff: Sendable {
  private var microseconds: UInt32 = 50

  package init() {}

  package mutating func wait() {
    usleep(microseconds)
    microseconds = min(2 * microseconds, 2000)
  }

  package mutating func reset() { microseconds = 50 }
}
