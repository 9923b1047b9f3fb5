import MemoryNets

/// What a metric's values over seeds amount to.
package struct SampleStatistics: Hashable, Sendable {
  /// Ascending.
  private let values: [Double]
  private let key: PhiloxKey
  package let mean: Double
  package let interquartileMean: Double
  package let minimum: Double
  package let maximum: Double

  /// Nil where no value is finite; values that are not finite do not enter.
  ///
  /// Every number is a function of the set of values, not of their order.
  package init?(_ values: [Double], key: PhiloxKey) {
    let sorted = values.filter(\.isFinite).sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    self.values = sorted
    self.key = key
    mean = sorted.reduce(0, +) / Double(sorted.count)
    interquartileMean = Self.interquartileMean(sorted)
    minimum = first
    maximum = last
  }

  package var count: Int { values.count }

  /// The 95 % percentile bootstrap interval of the mean; nil for one value.
  ///
  /// Drawn at every call: some ten nanoseconds a value and draw.
  package var interval: ClosedRange<Double>? {
    Bootstrap.interval(values, key: key)
  }

  /// The mean of the middle half of ascending `sorted` values.
  ///
  ///     IQM = (2 / n) sum_i w_i x_i,   w_i = length of [i, i + 1] inside [n / 4, 3 n / 4],  i from 0
  ///
  /// A value that a quartile cuts through counts with the part that lies inside, so exactly half of
  /// the weight stays for every n. After Agarwal et al., "Deep Reinforcement Learning at the Edge of
  /// the Statistical Precipice", NeurIPS 2021; where n is no multiple of 4 trimmed means that drop
  /// floor(n / 4) whole values at each end differ from it. For one value it is that value.
  package static func interquartileMean(_ sorted: [Double]) -> Double {
    precondition(!sorted.isEmpty, "no values")
    let count = Double(sorted.count)
    var sum = 0.0
    for (index, value) in sorted.enumerated() {
      let low = max(Double(index), count / 4)
      let high = min(Double(index + 1), 3 * count / 4)
      if high > low { sum += (high - low) * value }
    }
    return sum * 2 / count
  }
}
