/// The largest |a - b| of two lists of numbers; NaN where one is NaN, infinite for lists of different
/// lengths.
func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { largest, pair in
    let difference = abs(pair.0 - pair.1)
    return difference.isNaN || difference > largest ? difference : largest
  }
}
