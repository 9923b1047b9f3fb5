import Foundation

/// Balanced brackets of several kinds, drawn from a grammar given the length.
///
///     S -> S T (1/2) | T (1/2),   T -> ( S ) (40/41) | ( ) (1/41), of each kind alike
///
/// The grammar is unambiguous: its weight of a string is that of the one derivation. With s(l) and
/// t(l) the weights of all strings of l symbols from S and T,
///
///     t(l) = 40/41 s(l - 2) + 1/41 [l = 2],   s(l) = (t(l) + sum over j of s(l - j) t(j)) / 2
package struct DyckGrammar: Sendable {
  package let kinds: Int
  private let s: [Double]
  private let t: [Double]
  private static let nested = 40.0 / 41

  package init(kinds: Int, maximumLength: Int) {
    self.kinds = kinds
    var s = [Double](repeating: 0, count: max(maximumLength, 2) + 1)
    var t = s
    for length in stride(from: 2, to: s.count, by: 2) {
      t[length] = length == 2 ? 1 - Self.nested : Self.nested * s[length - 2]
      s[length] = t[length] / 2
      for last in stride(from: 2, to: length, by: 2) {
        s[length] += s[length - last] * t[last] / 2
      }
    }
    self.s = s
    self.t = t
  }

  /// Appends a string of `length` symbols, opening brackets 0 ..< kinds, closing ones after them, and
  /// gives -ln p(string | length).
  package func sample(
    length: Int, _ draws: inout PhiloxStream, into string: inout [Int32]
  ) -> Double {
    let first = string.count
    string += repeatElement(0, count: length)
    var weight = 0.0
    // The parts still to be written: sequences from S, first symbol and length.
    var open = [(first: first, length: length)]
    while let part = open.popLast() {
      // The last T of the sequence; it is the only one with the share that t has of s.
      var rest = draws.uniform() * s[part.length] - t[part.length] / 2
      var last = part.length
      if rest >= 0, part.length > 2 {
        last = part.length - 2
        for length in stride(from: 2, to: part.length, by: 2) {
          rest -= s[part.length - length] * t[length] / 2
          guard rest >= 0 else {
            last = length
            break
          }
        }
      }
      if last < part.length { open.append((part.first, part.length - last)) }
      let start = part.first + part.length - last
      let kind = draws.integer(below: kinds)
      string[start] = Int32(truncatingIfNeeded: kind)
      string[start + last - 1] = Int32(truncatingIfNeeded: kinds + kind)
      if last > 2 { open.append((start + 1, last - 2)) }
      weight += log((last > 2 ? Self.nested : 1 - Self.nested) / 2 / Double(kinds))
    }
    return log(s[length]) - weight
  }
}
