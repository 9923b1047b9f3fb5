/// The order in which the keys and values of an associative retrieval sequence are shown.
package enum RetrievalLayout: String, Codable, CaseIterable, Sendable {
  /// Each key followed by its value: `a9c5g1t3??c`.
  case art
  /// All keys, then all values in the order of their keys: `acgt9513??c`.
  case modified
  /// All keys, then all values in another order, the same in every sequence.
  case permuted
}

/// The options of `associative_retrieval`.
package struct AssociativeRetrievalOptions: Options {
  /// The order in which keys and values are shown.
  package var layout = RetrievalLayout.art
  /// Key-value pairs in a sequence of 2 pairs + 3 steps.
  package var pairs = 4
  /// Where the training sequences come from.
  package var data = TrainingData.fixed
  /// Sequences of the fixed training set; with `data: online` only of its evaluation.
  package var trainSize = 100_000
  /// Sequences of the validation set.
  package var validationSize = 10_000
  /// Sequences of the test set.
  package var testSize = 20_000

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems = sizes.problems
    if !(1...26 ~= pairs) {
      problems.append(OptionProblem("pairs", "is \(pairs); the keys are 1 to 26 distinct letters"))
    }
    return problems
  }

  package var sizes: GeneratedSizes {
    GeneratedSizes(data: data, train: trainSize, validation: validationSize, test: testSize)
  }
}

/// Associative retrieval: after K pairs of a letter and a digit, name the digit of a letter.
///
/// The K letters are distinct, the K digits are drawn with replacement, the query is one of the
/// letters; `??` stands before it. Tokens are a-z (0...25), 0-9 (26...35) and ? (36). The layouts
/// `modified` and `permuted` are those of Keller, Sridhar and Wang, "Fast Weight Long Short-Term
/// Memory", 2018, arXiv:1804.06511; `art` is that of Ba et al. 2016, arXiv:1610.06258.
package final class AssociativeRetrieval: SequenceGenerator {
  package static let letters = 26
  package static let digits = 10
  package static let firstDigit: Int32 = 26
  package static let question: Int32 = 36
  package static let vocabulary = 37

  package let shape: TaskShape
  package let baselines: [TrivialBaseline]
  private let pairs: Int
  /// (pairs, 2): the steps that show key i and value i.
  private let places: UnsafeMutablePointer<Int>
  /// The alphabet, then this sequence's order of it.
  private let alphabet: UnsafeMutablePointer<UInt8>
  private let drawn: UnsafeMutablePointer<UInt8>

  package init(layout: RetrievalLayout, pairs: Int) {
    precondition(1...Self.letters ~= pairs, "\(pairs) pairs")
    self.pairs = pairs
    shape = TaskShape(
      input: .tokens(vocabulary: Self.vocabulary), outputSize: Self.vocabulary,
      loss: .softmaxCrossEntropy, outputSteps: .last, maximumSteps: 2 * pairs + 3)
    baselines = [
      TrivialBaseline(
        name: "mode of shown values", metric: "accuracy",
        value: modeGuesserAccuracy(pairs: pairs, digits: Self.digits))
    ]
    places = .allocate(capacity: 2 * pairs)
    alphabet = .allocate(capacity: Self.letters)
    drawn = .allocate(capacity: Self.letters)
    let shown = layout == .permuted ? Self.permutation(pairs) : Array(0..<pairs)
    for i in 0..<pairs { places[2 * i] = layout == .art ? 2 * i : i }
    for (p, i) in shown.enumerated() { places[2 * i + 1] = layout == .art ? 2 * p + 1 : pairs + p }
    for i in 0..<Self.letters { alphabet[i] = UInt8(i) }
    drawn.initialize(repeating: 0, count: Self.letters)
  }

  deinit {
    places.deallocate()
    alphabet.deallocate()
    drawn.deallocate()
  }

  /// The value shown at each position of the layout `permuted`: Fisher-Yates with every uniform
  /// draw replaced by 0.666.
  package static func permutation(_ pairs: Int) -> [Int] {
    var shown = Array(0..<pairs)
    for i in stride(from: pairs - 1, to: 0, by: -1) {
      shown.swapAt(i, Int(0.666 * Double(i + 1)))
    }
    return shown
  }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int) {
    let rows = batch.rows
    let tokens = batch.tokens.baseAddress! + row
    let query = draws.integer(below: pairs)
    drawn.update(from: alphabet, count: Self.letters)
    for i in 0..<pairs {
      let j = i + draws.integer(below: Self.letters - i)
      let letter = drawn[j]
      drawn[j] = drawn[i]
      drawn[i] = letter
      let digit = Self.firstDigit &+ Int32(truncatingIfNeeded: draws.integer(below: Self.digits))
      tokens[places[2 * i] &* rows] = Int32(letter)
      tokens[places[2 * i + 1] &* rows] = digit
      if i == query { batch.classes.baseAddress![row] = digit }
    }
    tokens[2 * pairs &* rows] = Self.question
    tokens[(2 * pairs + 1) &* rows] = Self.question
    tokens[(2 * pairs + 2) &* rows] = Int32(drawn[query])
    batch.weights.baseAddress![row] = 1
  }
}

/// The expected accuracy of the best guess that does not bind keys to values: a most frequent one
/// of the shown values.
///
/// The query is uniform over the K shown values, so it is E[M] / K with M the largest of the
/// counts of K draws from `digits` values, and
///
///     P(M <= m) = K! [x^K] (sum_{j <= m} x^j / j!)^digits / digits^K                      (1)
///     E[M] = sum_{m < K} (1 - P(M <= m))                                                  (2)
package func modeGuesserAccuracy(pairs: Int, digits: Int) -> Double {
  var expectation = 0.0
  for m in 0..<pairs {
    // share[k]: P(M <= m) of k draws from v values. One value more takes j of the k draws with
    // binomial probability, 1/v each, which is (1) without its factorials.
    var share = (0...pairs).map { $0 <= m ? 1.0 : 0.0 }
    for v in stride(from: 2.0, through: Double(digits), by: 1) {
      share = (0...pairs).map { k in
        var binomial = power((v - 1) / v, k)
        var sum = 0.0
        for j in 0...min(k, m) {
          sum += binomial * share[k - j]
          binomial *= Double(k - j) / Double(j + 1) / (v - 1)
        }
        return sum
      }
    }
    expectation += 1 - share[pairs]
  }
  return expectation / Double(pairs)
}
