import Foundation
import MemoryNets
import Testing

@Suite struct HardestLanguageTests {
  private static func symbols(_ text: String) -> [Int32] {
    let alphabet = Array("()[],;$")
    return text.compactMap { alphabet.firstIndex(of: $0).map(Int32.init) }
  }

  private static func samples(_ language: HardestLanguage, _ length: Int, count: Int) -> [[Int32]] {
    (0..<count).map { number in
      var draws = PhiloxStream(key: PhiloxKey(5), stream: UInt64(number))
      var string: [Int32] = []
      _ = language.sample(length: length, &draws, into: &string)
      return string
    }
  }

  /// Computed from the generating functions of the grammar by another program.
  @Test func lengthsAreAsLikelyAsTheGrammarSays() {
    let grammar = HardestLanguage(maximumLength: 400).grammar
    for (length, expected) in [
      (6, 0.011111111111111115), (10, 0.00970289801359359), (40, 0.0015451119627815965),
      (400, 1.0309441150803014e-08),
    ] {
      let found = grammar.weight(of: HardestLanguage.start, length: length)
      #expect(abs(found - expected) <= 1e-13 * expected, "\(length)")
    }
    #expect((0..<6).allSatisfy { grammar.weight(of: HardestLanguage.start, length: $0) == 0 })
  }

  /// All ways to cut a string by the rules, against the search for balanced choices of fields.
  @Test func aStringIsAsLikelyAsAllItsDerivations() {
    let language = HardestLanguage(maximumLength: 26)
    for length in 6...26 {
      for string in Self.samples(language, length, count: 12) {
        var parser = Parser(rules: language.grammar.rules, string: string)
        let expected = log(parser.weight(HardestLanguage.start, 0, length))
        #expect(
          abs(HardestLanguage.logProbability(of: string) - expected) < 1e-11, "\(string)")
      }
    }
  }

  @Test(arguments: [
    (",$(),;", true), (",$(),$[],;", true), ("(,$(,,;,),;", false), ("(,$(,;,),;", true),
    (",$(,;],[),(],$;", false), (",$,;[,),[],;", true), (",$(],;", false), (",$(),", false),
    (",$();", false), (",$(),;,;", false), (",(),;", false), (",$($),;", false),
    (",$,$(),;", true), (",$(,(,;,),),;", true), (",$((,;,),;", false), (",$(,[,;,],),;", true),
    ("", false),
  ])
  func onlyBalancedChoicesOfFieldsBelong(text: String, belongs: Bool) {
    let string = Self.symbols(text)
    #expect(HardestLanguage.logProbability(of: string).isFinite == belongs)
    var parser = Parser(rules: HardestLanguage(maximumLength: 6).grammar.rules, string: string)
    #expect((parser.weight(HardestLanguage.start, 0, string.count) > 0) == belongs)
  }

  /// Two fields that could each be the content: both derivations count.
  @Test func anAmbiguousStringIsAsLikelyAsBoth() {
    // (1-u)^2 (1-c)^2 c, the decoy V of three symbols, $ and a leaf with two gaps.
    let decoys: Double = 16.0 / 81 / 3 * 0.001
    let content: Double = 0.75 * 0.75 * 0.4 * 0.125
    let each = decoys * content
    let found = HardestLanguage.logProbability(of: Self.symbols(",$(),$[],;"))
    #expect(abs(found - log(2 * each)) < 1e-12)
  }

  @Test func longStringsBelong() {
    let language = HardestLanguage(maximumLength: 400)
    for string in Self.samples(language, 400, count: 20) {
      #expect(string.count == 400)
      #expect(HardestLanguage.logProbability(of: string).isFinite)
    }
  }
}

/// The weights of all derivations of the parts of one string, by the rules alone.
private struct Parser {
  let rules: [WeightedGrammar.Rule]
  let string: [Int32]
  private var known: [[Int]: Double] = [:]

  init(rules: [WeightedGrammar.Rule], string: [Int32]) {
    (self.rules, self.string) = (rules, string)
  }

  mutating func weight(_ variable: Int, _ first: Int, _ end: Int) -> Double {
    if let known = known[[variable, first, end]] { return known }
    // No variable is the whole of itself: what asks for it meanwhile is multiplied with 0.
    known[[variable, first, end]] = 0
    var sum = 0.0
    for rule in rules where rule.left == variable {
      sum += rule.probability * weight(rule.right[...], first, end)
    }
    known[[variable, first, end]] = sum
    return sum
  }

  private mutating func weight(
    _ items: ArraySlice<WeightedGrammar.Item>, _ first: Int, _ end: Int
  ) -> Double {
    guard let item = items.first else { return first == end ? 1 : 0 }
    switch item {
    case .symbol(let symbol):
      guard first < end, string[first] == symbol else { return 0 }
      return weight(items.dropFirst(), first + 1, end)
    case .variable(let variable):
      var sum = 0.0
      for cut in first...end {
        let rest = weight(items.dropFirst(), cut, end)
        if rest > 0 { sum += rest * weight(variable, first, cut) }
      }
      return sum
    }
  }
}
