/// A context-free grammar with the probability of each rule, and strings of a given length drawn from it.
///
///     w_X(n) = sum over the rules X -> Y_1 ... Y_m of p r_1(n)
///     r_i(n) = sum over k of w_(Y_i)(k) r_(i + 1)(n - k),   r_(m + 1)(n) = [n = 0]
///
/// w_X(n) is the probability that X becomes n symbols, r_i that of a rule's right side from i on.
package struct WeightedGrammar: Sendable {
  package enum Item: Hashable, Sendable {
    case symbol(Int32)
    case variable(Int)
  }

  package struct Rule: Sendable {
    package let left: Int
    package let probability: Double
    package let right: [Item]
  }

  package let rules: [Rule]
  /// w, by variable and length.
  private var weights: [[Double]]
  /// r, by rule, position and length; of a last variable it is that of `weights`.
  private var rests: [[[Double]]]

  /// Of strings of at most `maximumLength` symbols.
  ///
  /// What a variable becomes as a whole when all beside it becomes nothing must have its rules
  /// before those of the variable.
  package init(_ rules: [Rule], maximumLength: Int) {
    self.rules = rules
    let none = [Double](repeating: 0, count: maximumLength + 1)
    let variables = (rules.map(\.left).max() ?? -1) + 1
    weights = [[Double]](repeating: none, count: variables)
    rests = rules.map { [[Double]](repeating: none, count: $0.right.count) }
    for length in 0...maximumLength {
      for (r, rule) in rules.enumerated() {
        for i in rule.right.indices.reversed() where !isLastVariable(rule, i) {
          rests[r][i][length] = sum(r, i, length)
        }
        weights[rule.left][length] += rule.probability * rest(r, 0, length)
      }
    }
  }

  /// The probability that `variable` becomes `length` symbols.
  package func weight(of variable: Int, length: Int) -> Double { weights[variable][length] }

  /// Appends a string of `length` symbols that `variable` becomes.
  package func sample(
    _ variable: Int, length: Int, _ draws: inout PhiloxStream, into string: inout [Int32]
  ) {
    // What is still to be written, the next at the end.
    var open = [(item: Item.variable(variable), length: length)]
    while let (item, length) = open.popLast() {
      guard case .variable(let variable) = item else {
        if case .symbol(let symbol) = item { string.append(symbol) }
        continue
      }
      let r = drawnRule(variable, length, &draws)
      let place = open.count
      var left = length
      for (i, item) in rules[r].right.enumerated() {
        let own = drawnLength(r, i, left, &draws)
        open.insert((item, own), at: place)
        left -= own
      }
    }
  }

  private func drawnRule(_ variable: Int, _ length: Int, _ draws: inout PhiloxStream) -> Int {
    var rest = draws.uniform() * weights[variable][length]
    var last = 0
    for (r, rule) in rules.enumerated() where rule.left == variable {
      let weight = rule.probability * self.rest(r, 0, length)
      guard weight > 0 else { continue }
      last = r
      rest -= weight
      if rest < 0 { break }
    }
    return last
  }

  /// How many of the `length` symbols of a rule's right side from `i` on are those of item `i`.
  private func drawnLength(
    _ r: Int, _ i: Int, _ length: Int, _ draws: inout PhiloxStream
  ) -> Int {
    guard i + 1 < rules[r].right.count else { return length }
    guard case .variable(let variable) = rules[r].right[i] else { return 1 }
    var rest = draws.uniform() * self.rest(r, i, length)
    var last = 0
    for own in 0...length {
      let weight = weights[variable][own] * self.rest(r, i + 1, length - own)
      guard weight > 0 else { continue }
      last = own
      rest -= weight
      if rest < 0 { break }
    }
    return last
  }

  private func isLastVariable(_ rule: Rule, _ i: Int) -> Bool {
    guard i == rule.right.count - 1, case .variable = rule.right[i] else { return false }
    return true
  }

  private func rest(_ r: Int, _ i: Int, _ length: Int) -> Double {
    guard i < rules[r].right.count else { return length == 0 ? 1 : 0 }
    if isLastVariable(rules[r], i), case .variable(let variable) = rules[r].right[i] {
      return weights[variable][length]
    }
    return rests[r][i][length]
  }

  private func sum(_ r: Int, _ i: Int, _ length: Int) -> Double {
    switch rules[r].right[i] {
    case .symbol: return length > 0 ? rest(r, i + 1, length - 1) : 0
    case .variable(let variable):
      var sum = 0.0
      for own in 0...length where weights[variable][own] > 0 {
        sum += weights[variable][own] * rest(r, i + 1, length - own)
      }
      return sum
    }
  }
}
