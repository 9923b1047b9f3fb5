/// The quantile of ascending `sorted` values at `fraction` in 0...1, by linear interpolation.
///
///     h = (n - 1) p,   Q(p) = x[floor h] + (h - floor h) (x[floor h + 1] - x[floor h])
///
/// Definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American
/// Statistician 50, 1996. `sorted` is not empty; for one value every quantile is that value.
package func quantile(_ fraction: Double, ofSorted sorted: [Double]) -> Double {
  precondition(!sorted.isEmpty, "no values")
  precondition(fraction >= 0 && fraction <= 1, "fraction is \(fraction)")
  let position = Double(sorted.count - 1) * fraction
  let below = Int(position)
  guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
  return sorted[below] + (position - Double(below)) * (sorted[below + 1] - sorted[below])
}
