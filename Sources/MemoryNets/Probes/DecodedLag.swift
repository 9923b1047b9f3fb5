/// How well linear read-outs give back what was seen some steps ago.
package struct DecodedLag: Hashable, Codable, Sendable {
  /// Steps ago; 0 is the last input.
  package let lag: Int
  /// 1 - |error|^2 / |deviation|^2 over all numbers of the target, at least 0; nil where the target
  /// does not vary.
  package let determination: Double?
  /// cov^2(target, prediction) / (var target x var prediction), summed over the numbers of the target.
  package let correlation: Double
}

extension RidgeDecoder {
  /// Decodes `targets`, (samples, count), with the penalty that serves best on the samples to choose.
  package func decode(
    _ targets: [Double], count: Int, lag: Int, split: DecoderSplit
  ) -> DecodedLag {
    var best: (penalty: Double, value: Double)?
    for penalty in Self.penalties {
      let predicted = predictions(of: targets, count: count, penalty: penalty, rows: split.choose)
      let value = determination(predicted, targets, count, rows: split.choose) ?? 0
      if value > best?.value ?? -.infinity { best = (penalty, value) }
    }
    let penalty = best?.penalty ?? 1e-2
    let predicted = predictions(of: targets, count: count, penalty: penalty, rows: split.score)
    var correlation = 0.0
    for j in 0..<count {
      correlation += self.correlation(predicted, targets, j, count, split.score)
    }
    let kept = determination(predicted, targets, count, rows: split.score)
    return DecodedLag(lag: lag, determination: kept.map { max(0, $0) }, correlation: correlation)
  }

  private func determination(
    _ predicted: [Double], _ targets: [Double], _ count: Int, rows: Range<Int>
  ) -> Double? {
    var (error, deviation) = (0.0, 0.0)
    for j in 0..<count {
      let mean =
        rows.reduce(0.0) { $0 + targets[$1 * count + j] } / Double(max(rows.count, 1))
      for (k, sample) in rows.enumerated() {
        let target = targets[sample * count + j]
        error += (target - predicted[k * count + j]) * (target - predicted[k * count + j])
        deviation += (target - mean) * (target - mean)
      }
    }
    return deviation > 1e-12 * Double(max(rows.count, 1)) ? 1 - error / deviation : nil
  }

  private func correlation(
    _ predicted: [Double], _ targets: [Double], _ j: Int, _ count: Int, _ rows: Range<Int>
  ) -> Double {
    let n = Double(max(rows.count, 1))
    var (x, y, xx, yy, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for (k, sample) in rows.enumerated() {
      let (a, b) = (targets[sample * count + j], predicted[k * count + j])
      (x, y, xx, yy, xy) = (x + a, y + b, xx + a * a, yy + b * b, xy + a * b)
    }
    let covariance = xy / n - x * y / n / n
    let variances = (xx / n - x * x / n / n) * (yy / n - y * y / n / n)
    return variances > 1e-24 ? covariance * covariance / variances : 0
  }
}
