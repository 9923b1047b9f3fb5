import MemoryNets

/// The percentile bootstrap: how far a mean over seeds may move.
package enum Bootstrap {
  package static let draws = 10_000

  /// The interval from the (1 - level) / 2 to the (1 + level) / 2 quantile of the means of `draws`
  /// resamples with replacement.
  ///
  /// The values are taken in ascending order and draw d uses stream d of `key`, so the interval is a
  /// function of the values and the key, to the bit. Nil for fewer than two values: one seed says
  /// nothing of the others. All values are finite.
  ///
  /// Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. With few seeds it
  /// is too narrow; see docs/statistics.md.
  package static func interval(
    _ values: [Double], level: Double = 0.95, key: PhiloxKey
  ) -> ClosedRange<Double>? {
    let count = values.count
    guard count >= 2 else { return nil }
    let sorted = values.sorted()
    guard sorted[0] < sorted[count - 1] else { return sorted[0]...sorted[0] }
    var means: [Double] = []
    means.reserveCapacity(draws)
    for draw in 0..<draws {
      var stream = PhiloxStream(key: key, stream: UInt64(draw))
      var sum = 0.0
      for _ in 0..<count { sum += sorted[stream.integer(below: count)] }
      means.append(sum / Double(count))
    }
    means.sort()
    let tail = (1 - level) / 2
    return quantile(tail, ofSorted: means)...quantile(1 - tail, ofSorted: means)
  }

  /// The key of the interval of `metric` for one row of the table.
  package static func key(
    method: String, parameters: [TrialParameter], metric: String
  ) -> PhiloxKey {
    PhiloxKey(0x626f_6f74_7374_7261).derived(
      [method, JSONText.parameters(parameters), metric].joined(separator: "\n"))
  }
}
