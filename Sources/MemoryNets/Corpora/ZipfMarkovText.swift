import Foundation

/// A made-up language whose entropy is known: Zipf's law for words, a few likely successors of each.
///
/// Word r of V comes with p(r) proportional to 1 / (r + 2.7)^1.05 at the start of a sentence. After word w
/// the sentence ends with probability 1/21; else the next word is with probability 0.7 one of the 32
/// successors of w, the k-th with weight 0.85^k, otherwise drawn with p again. The successors are drawn
/// with p, too, from a key and w alone. No sentence is empty.
///
/// Text comes in blocks of 2^16 tokens, each a function of the key and its number; a block begins with a
/// sentence and its last token ends one.
package final class ZipfMarkovText {
  package static let blockTokens = 1 << 16
  package static let successors = 32

  package let words: Int
  private let key: PhiloxKey
  private let frequencies: AliasTable
  private let choice: AliasTable
  /// (words, successors).
  private let next: [Int32]

  private static let endProbability = 1.0 / 21
  private static let successorProbability = 0.7

  /// A language of `words` words; another `seed` gives other successors and another text.
  package init(words: Int, seed: UInt64) {
    precondition(1...Int(Int32.max) - 2 ~= words, "\(words) words")
    self.words = words
    key = PhiloxKey(seed).derived("zipf-markov")
    let frequencies = AliasTable((0..<words).map { pow(Double($0) + 2.7, -1.05) })
    self.frequencies = frequencies
    choice = AliasTable((0..<Self.successors).map { pow(0.85, Double($0)) })
    let ofSuccessors = key.derived("successors")
    next = (0..<words).flatMap { word in
      var draws = PhiloxStream(key: ofSuccessors, stream: UInt64(word))
      return (0..<Self.successors).map { _ in Int32(frequencies.draw(&draws)) }
    }
  }

  /// The words by their token.
  ///
  /// First `<unk>`, which does not occur, and `<eos>`, then `w1`, `w2` and so on by rank.
  package var vocabulary: [String] {
    [Vocabulary.unknown, Vocabulary.endOfLine] + (1...words).map { "w\($0)" }
  }

  /// The tokens of block `index`.
  package func block(_ index: Int) -> [Int32] {
    var draws = PhiloxStream(key: key.derived("blocks"), stream: UInt64(index))
    var word: Int?
    return (0..<Self.blockTokens).map { place in
      if let last = word {
        if place == Self.blockTokens - 1 || draws.uniform() < Self.endProbability {
          word = nil
          return Vocabulary.endOfLineToken
        }
        word =
          draws.uniform() < Self.successorProbability
          ? Int(next[last * Self.successors + choice.draw(&draws)]) : frequencies.draw(&draws)
      } else {
        word = frequencies.draw(&draws)
      }
      return Int32((word ?? 0) + 2)
    }
  }

  /// The entropy of a token given all before it, in nats: the mean over the words (and the start of a
  /// sentence) as often as they occur in the long run, of the entropy of what follows.
  ///
  /// What the least loss on a block without end is; the fixed end of a block is worth 5e-5 nats.
  package var entropyRate: Double {
    let p = frequencies.probabilities
    let go = 1 - Self.endProbability
    let drawn = go * (1 - Self.successorProbability)
    func term(_ x: Double) -> Double { x > 0 ? -x * log(x) : 0 }
    let start = p.reduce(0) { $0 + term($1) }
    // Of the draws alone, the successors left out: sum of -(d p) log(d p).
    let base = drawn * start - drawn * log(drawn)
    let occupation = occupation()
    var rate = occupation.start * start
    for word in 0..<words {
      var entropy = base + term(Self.endProbability)
      var shares: [Int: Double] = [:]
      for k in 0..<Self.successors {
        shares[Int(next[word * Self.successors + k]), default: 0] +=
          go * Self.successorProbability * choice.probabilities[k]
      }
      for (follower, share) in shares.sorted(by: { $0.key < $1.key }) {
        entropy += term(share + drawn * p[follower]) - term(drawn * p[follower])
      }
      rate += occupation.words[word] * entropy
    }
    return rate
  }

  /// How often each word, and the start of a sentence, is what a token follows: power iteration.
  private func occupation() -> (words: [Double], start: Double) {
    let p = frequencies.probabilities
    let go = 1 - Self.endProbability
    // A sentence has 21 words on average and its end.
    let start = Self.endProbability / (1 + Self.endProbability)
    var state = p.map { $0 * (1 - start) }
    for _ in 0..<100 {
      var following = p.map { $0 * (start + go * (1 - Self.successorProbability) * (1 - start)) }
      for word in 0..<words {
        let share = state[word] * go * Self.successorProbability
        for k in 0..<Self.successors {
          following[Int(next[word * Self.successors + k])] += share * choice.probabilities[k]
        }
      }
      let change = zip(state, following).reduce(0) { $0 + abs($1.0 - $1.1) }
      state = following
      if change < 1e-12 { break }
    }
    return (state, start)
  }
}

/// Draws numbers with given probabilities in constant time.
///
/// Vose, "A linear algorithm for generating random numbers with a given distribution", 1991.
struct AliasTable {
  let probabilities: [Double]
  private var limits: [Double]
  private var aliases: [Int32]

  /// In proportion to `weights`.
  init(_ weights: [Double]) {
    let total = weights.reduce(0, +)
    probabilities = weights.map { $0 / total }
    limits = probabilities.map { $0 * Double(weights.count) }
    aliases = [Int32](repeating: 0, count: weights.count)
    var small = limits.indices.filter { limits[$0] < 1 }
    var large = limits.indices.filter { limits[$0] >= 1 }
    while let less = small.popLast(), let more = large.popLast() {
      aliases[less] = Int32(more)
      limits[more] -= 1 - limits[less]
      if limits[more] < 1 { small.append(more) } else { large.append(more) }
    }
    // What is left is 1 but for rounding.
    for rest in small + large { limits[rest] = 1 }
  }

  func draw(_ random: inout PhiloxStream) -> Int {
    let place = random.integer(below: limits.count)
    return random.uniform() < limits[place] ? place : Int(aliases[place])
  }
}
