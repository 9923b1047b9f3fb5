import Foundation

/// How long the repetitions of one piece of work took.
package struct Timings {
  /// Ascending.
  package let seconds: [Double]

  init(seconds: [Double]) {
    self.seconds = seconds.sorted()
  }

  /// Runs `body` a few times unmeasured and then `repetitions` times, each measured by itself.
  package init(repetitions: Int, warmUp: Int = 3, _ body: () throws -> Void) rethrows {
    for _ in 0..<warmUp { try body() }
    seconds = try (0..<max(repetitions, 1)).map { _ in try Self.once(body) }.sorted()
  }

  /// The seconds that `body` takes.
  static func once(_ body: () throws -> Void) rethrows -> Double {
    let start = nanoseconds
    try body()
    return Double(nanoseconds - start) * 1e-9
  }

  package var median: Double { seconds[seconds.count / 2] }
  package var minimum: Double { seconds[0] }
  package var maximum: Double { seconds[seconds.count - 1] }

  /// Of a clock that only goes forward.
  static var nanoseconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
