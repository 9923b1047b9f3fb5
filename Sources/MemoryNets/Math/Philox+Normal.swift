import Foundation

extension PhiloxStream {
  /// A draw from the standard normal distribution (Box-Muller, the cosine branch).
  package mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * Double.pi * uniform())
  }

  /// Puts `elements` into a uniformly drawn order (Fisher-Yates).
  package mutating func shuffle<Element>(_ elements: inout [Element]) {
    guard elements.count > 1 else { return }
    for i in stride(from: elements.count - 1, through: 1, by: -1) {
      elements.swapAt(i, integer(below: i + 1))
    }
  }
}
