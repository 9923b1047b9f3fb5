import Foundation

/// The hardest context-free language of Greibach: balanced brackets of two kinds, cut into pieces, each of
/// which stands among decoys.
///
///     S' -> R $ Q S L ;
///     L -> L' , U       L' -> , V L' (1/3) | nothing (2/3)
///     R -> U , R'       R' -> R' V , (1/3) | nothing (2/3)
///     U -> W U (1/3) | nothing (2/3)     V -> W V (1/2) | W (1/2)     W -> ( | ) | [ | ] | $
///     Q -> L ; R (1/4) | nothing (3/4)   S -> S Q T (3/5) | T (2/5)
///     T -> ( Q S Q ) (3/8) | ( Q ) (1/8) | [ Q S Q ] (3/8) | [ Q ] (1/8)
///
/// Between semicolons there are fields between commas, and one of the inner ones is the piece; the pieces
/// together are $ and balanced brackets. To recognise a string is as hard as it is for any context-free
/// language. Grammar and probabilities are those of DuSell and Chiang, "Learning Context-Free Languages
/// with Nondeterministic Stack RNNs", CoNLL 2020, read from their program; Greibach, "The Hardest
/// Context-Free Language", 1973.
package struct HardestLanguage: Sendable {
  /// Symbols: ( ) [ ] , ; $.
  package static let vocabulary = 7
  package static let shortest = 6
  /// Where the probabilities of lengths are still normal numbers.
  package static let longest = 10_000
  private static let (comma, semicolon, dollar) = (Int32(4), Int32(5), Int32(6))
  private static let fields = 1.0 / 3
  private static let short = 1.0 / 3
  private static let long = 1.0 / 2
  private static let cut = 1.0 / 4
  private static let split = 3.0 / 5
  private static let nested = 3.0 / 4

  package let grammar: WeightedGrammar
  package static let start = 10

  package init(maximumLength: Int) {
    grammar = WeightedGrammar(Self.rules, maximumLength: min(maximumLength, Self.longest))
  }

  private static var rules: [WeightedGrammar.Rule] {
    // P and F are R' and L'.
    let (W, V, U, P, R, F, L, Q, T, S) = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
    func rule(_ left: Int, _ probability: Double, _ right: WeightedGrammar.Item...)
      -> WeightedGrammar.Rule
    { .init(left: left, probability: probability, right: right) }
    func v(_ variable: Int) -> WeightedGrammar.Item { .variable(variable) }
    let (comma, semicolon) = (
      WeightedGrammar.Item.symbol(comma), WeightedGrammar.Item.symbol(semicolon)
    )
    let brackets = [Int32(0), 2].flatMap { kind in
      [
        rule(T, nested / 2, .symbol(kind), v(Q), v(S), v(Q), .symbol(kind + 1)),
        rule(T, (1 - nested) / 2, .symbol(kind), v(Q), .symbol(kind + 1)),
      ]
    }
    return [0, 1, 2, 3, dollar].map { rule(W, 0.2, .symbol($0)) } + [
      rule(V, long, v(W), v(V)), rule(V, 1 - long, v(W)),
      rule(U, short, v(W), v(U)), rule(U, 1 - short),
      rule(P, fields, v(P), v(V), comma), rule(P, 1 - fields),
      rule(R, 1, v(U), comma, v(P)),
      rule(F, fields, comma, v(V), v(F)), rule(F, 1 - fields),
      rule(L, 1, v(F), comma, v(U)),
      rule(Q, cut, v(L), semicolon, v(R)), rule(Q, 1 - cut),
    ] + brackets + [
      rule(S, split, v(S), v(Q), v(T)), rule(S, 1 - split, v(T)),
      rule(start, 1, v(R), .symbol(dollar), v(Q), v(S), v(L), semicolon),
    ]
  }

  /// Appends a string of `length` symbols to an empty one and gives -ln p(string | length).
  package func sample(
    length: Int, _ draws: inout PhiloxStream, into string: inout [Int32]
  ) -> Double {
    grammar.sample(Self.start, length: length, &draws, into: &string)
    return log(grammar.weight(of: Self.start, length: length)) - Self.logProbability(of: string)
  }

  // MARK: - The probability of a string

  /// ln of what all derivations of a string weigh; minus infinity for one that is not of the language.
  ///
  /// A derivation is a choice of a field of each piece such that the chosen ones are balanced. It weighs
  /// what decoys alone would, times 1 / V(b) for a chosen field of b symbols, times what S gives to the
  /// brackets. `balanced` of a place is what sequences of T from there on weigh, by their last
  /// place, found from the end of the string on.
  package static func logProbability(of string: [Int32]) -> Double {
    guard let reading = PieceReading(string) else { return -.infinity }
    let (stop, go) = (log((1 - Self.long) / Self.long), log(Self.long / 5))
    func decoy(_ length: Int) -> Double { stop + Double(length) * go }
    // After $ and n brackets there are n gaps, uncut but for those between pieces.
    let uncut = log(1 - cut)
    var common = Double(reading.pieces.count - 1) * (log(cut) - uncut)
    for piece in reading.pieces {
      let outer = piece[0].count + piece[piece.count - 1].count
      common += 2 * log(1 - short) + Double(outer) * log(short / 5)
      for inner in piece.dropFirst().dropLast() { common += decoy(inner.count) }
      common += 2 * log(1 - fields) + Double(piece.count - 3) * log(fields)
    }

    var balanced = [[LastPlace]](repeating: [], count: string.count)
    let (leaf, inner) = (log((1 - nested) / 2) + 2 * uncut, log(nested / 2) + 2 * uncut)
    /// The places that may follow one, each with the weight of choosing its field.
    func following(_ place: Int, _ body: (_ place: Int, _ weight: Double) -> Void) {
      guard let piece = reading.pieceEnding[place] else { return body(place + 1, 0) }
      guard piece + 1 < reading.pieces.count else { return }
      for field in reading.choices[piece + 1] { body(field.lowerBound, -decoy(field.count)) }
    }
    for place in string.indices.reversed()
    where reading.isChoice[place] && (string[place] == 0 || string[place] == 2) {
      var pairs: [LastPlace] = []
      following(place) { next, entry in
        if string[next] == string[place] + 1 { pairs.add(next, entry + leaf) }
        for last in balanced[next] {
          following(last.place) { close, exit in
            guard string[close] == string[place] + 1 else { return }
            pairs.add(close, entry + last.weight + exit + inner)
          }
        }
      }
      for pair in pairs {
        balanced[place].add(pair.place, pair.weight + log(1 - split))
        following(pair.place) { next, entry in
          for last in balanced[next] {
            balanced[place].add(last.place, pair.weight + log(split) + entry + last.weight)
          }
        }
      }
    }
    var total = [LastPlace]()
    for field in reading.choices[0] {
      following(field.lowerBound) { next, entry in
        for last in balanced[next]
        where reading.pieceEnding[last.place] == reading.pieces.count - 1 {
          total.add(0, last.weight + entry - decoy(field.count))
        }
      }
    }
    return total.first.map { common + $0.weight } ?? -.infinity
  }
}

/// Where a sequence of brackets may end, and ln of what it weighs.
private struct LastPlace {
  let place: Int
  var weight: Double
}

extension [LastPlace] {
  fileprivate mutating func add(_ place: Int, _ weight: Double) {
    guard let known = firstIndex(where: { $0.place == place }) else {
      return append(LastPlace(place: place, weight: weight))
    }
    let (a, b) = (self[known].weight, weight)
    self[known].weight = Swift.max(a, b) + log1p(exp(-abs(a - b)))
  }
}

/// The fields of a string between semicolons and commas.
private struct PieceReading {
  private(set) var pieces: [[Range<Int>]] = []
  /// By piece: the inner fields that may be chosen, $ and brackets in the first, brackets in the others.
  private(set) var choices: [[Range<Int>]] = []
  /// Whether a place is in one of them.
  private(set) var isChoice: [Bool]
  /// The piece of which a place is the last of a field to choose.
  private(set) var pieceEnding: [Int?]

  init?(_ string: [Int32]) {
    isChoice = [Bool](repeating: false, count: string.count)
    pieceEnding = [Int?](repeating: nil, count: string.count)
    var fields: [Range<Int>] = []
    var first = 0
    for (place, symbol) in string.enumerated() where symbol == 4 || symbol == 5 {
      fields.append(first..<place)
      first = place + 1
      guard symbol == 5 else { continue }
      pieces.append(fields)
      fields = []
    }
    guard first == string.count, fields.isEmpty, !pieces.isEmpty else { return nil }
    for (number, piece) in pieces.enumerated() {
      guard piece.count >= 3 else { return nil }
      choices.append(
        piece.dropFirst().dropLast().filter { field in
          let brackets = number == 0 ? field.dropFirst() : field
          return !field.isEmpty && (number > 0 || string[field.lowerBound] == 6)
            && brackets.allSatisfy { string[$0] < 4 }
        })
      for field in choices[number] {
        for place in field { isChoice[place] = true }
        pieceEnding[field.upperBound - 1] = number
      }
    }
    guard pieces.allSatisfy({ $0.dropFirst().dropLast().allSatisfy { !$0.isEmpty } }) else {
      return nil
    }
  }
}
