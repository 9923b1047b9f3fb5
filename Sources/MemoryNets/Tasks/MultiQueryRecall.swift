import Foundation

/// The options of `mqar`.
package struct MultiQueryRecallOptions: Options {
  /// Tokens: 0 is the filler, the others below a half are keys, the rest values.
  package var vocabulary = 8192
  /// Steps of a sequence.
  package var length = 64
  /// Key-value pairs in a sequence, each queried once.
  package var pairs = 4
  /// In place of `length`, `pairs` and `train_size`: those of each part of the training set.
  package var trainLengths: [Int] = []
  package var trainPairs: [Int] = []
  package var trainSizes: [Int] = []
  /// Of the parts of the validation and test sets; as of the training set where there are none.
  package var testLengths: [Int] = []
  package var testPairs: [Int] = []
  /// The exponent a of the gaps' distribution, p(g) ~ (g + 1)^(a - 1).
  package var power = 0.01
  /// Whether what is neither pair nor query is a random token instead of 0.
  package var randomFillers = true
  /// Where the training sequences come from.
  package var data = TrainingData.fixed
  /// Sequences of the fixed training set; with `data: online` only of its evaluation.
  package var trainSize = 100_000
  /// Sequences of the validation set, or of each of its parts.
  package var validationSize = 3000
  /// Sequences of the test set, or of each of its parts.
  package var testSize = 3000

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems = sizes.problems + OptionProblem.outside("power", power, 0...10)
    if trainLengths.count != trainPairs.count || trainLengths.count != trainSizes.count {
      problems.append(
        OptionProblem(
          "train_lengths",
          "has \(trainLengths.count) numbers, train_pairs \(trainPairs.count) and train_sizes "
            + "\(trainSizes.count); as many are needed"))
    }
    if testLengths.count != testPairs.count {
      problems.append(
        OptionProblem(
          "test_lengths",
          "has \(testLengths.count) numbers, test_pairs \(testPairs.count); as many are needed"))
    }
    if let size = trainSizes.first(where: { $0 < 1 }) {
      problems.append(OptionProblem("train_sizes", "has \(size); 1 or more are possible"))
    }
    if trainSizes.reduce(0.0, { $0 + Double($1) }) > Double(Int32.max) {
      problems.append(
        OptionProblem("train_sizes", "has more sequences together than \(Int32.max)"))
    }
    if trainLengths.isEmpty { problems += self.problems(length, pairs, of: "") }
    for (length, pairs) in zip(trainLengths, trainPairs) {
      problems += self.problems(length, pairs, of: "train_")
    }
    for (length, pairs) in zip(testLengths, testPairs) {
      problems += self.problems(length, pairs, of: "test_")
    }
    for (option, configurations) in [
      ("train_lengths", trainConfigurations), ("test_lengths", testConfigurations),
    ] where Set(configurations).count < configurations.count {
      problems.append(OptionProblem(option, "and its pairs have the same twice"))
    }
    return problems
  }

  /// What is wrong with sequences of `length` steps, options named `length` or `train_lengths`.
  private func problems(_ length: Int, _ pairs: Int, of set: String) -> [OptionProblem] {
    let (lengthName, pairsName, verb) =
      set.isEmpty ? ("length", "pairs", "is") : ("\(set)lengths", "\(set)pairs", "has")
    var problems: [OptionProblem] = []
    if !(1...1_000_000 ~= pairs) {
      problems.append(OptionProblem(pairsName, "\(verb) \(pairs); 1 to 1000000 are possible"))
    } else if length % 2 != 0 || length < 4 * pairs || length > 10_000_000 {
      problems.append(
        OptionProblem(
          lengthName, "\(verb) \(length); an even number of at least 4 x pairs steps is needed"))
    } else if !(4...1_000_000 ~= vocabulary) || vocabulary / 2 - 1 < pairs || vocabulary <= length {
      problems.append(
        OptionProblem(
          "vocabulary",
          "is \(vocabulary); more than length tokens and 2 x (pairs + 1) are needed, at most "
            + "1000000"))
    }
    return problems
  }

  /// A length and a number of pairs.
  struct Configuration: Hashable {
    let length: Int
    let pairs: Int
    /// `64_4`.
    var name: String { "\(length)_\(pairs)" }
  }

  /// Whether training or evaluation is on other sequences than of `length` and `pairs`.
  var isMixed: Bool { !trainLengths.isEmpty || !testLengths.isEmpty }

  var trainConfigurations: [Configuration] {
    trainLengths.isEmpty
      ? [Configuration(length: length, pairs: pairs)]
      : zip(trainLengths, trainPairs).map { Configuration(length: $0, pairs: $1) }
  }

  /// By configuration of the training set.
  var trainConfigurationSizes: [Int] { trainSizes.isEmpty ? [trainSize] : trainSizes }

  var testConfigurations: [Configuration] {
    testLengths.isEmpty
      ? trainConfigurations
      : zip(testLengths, testPairs).map { Configuration(length: $0, pairs: $1) }
  }

  /// The task that the options describe.
  package func task(_ key: PhiloxKey) -> any SequenceTask {
    isMixed
      ? MixedRecall(options: self, key: key)
      : GeneratedTask(MultiQueryRecall(options: self), sizes: sizes, key: key)
  }

  package var sizes: GeneratedSizes {
    GeneratedSizes(data: data, train: trainSize, validation: validationSize, test: testSize)
  }
}

/// Multi-query associative recall: after K pairs of a key and a value, name the value of each key
/// that comes up again.
///
/// The context is k_1 v_1 ... k_K v_K of distinct keys and distinct values. The query of pair i, its
/// key, stands at step 2 K + 2 g_i, where the gaps g_i are drawn without replacement from
/// 0..<(N - 2 K) / 2 with p(g) ~ (g + 1)^(a - 1); the answer is due at that step. What is left is
/// filler. Arora, Eyuboglu et al., "Zoology", ICLR 2024; generator of the repository
/// HazyResearch/zoology.
package final class MultiQueryRecall: SequenceGenerator {
  package let shape: TaskShape
  package let baselines: [TrivialBaseline]
  private let options: MultiQueryRecallOptions
  private let space: Int
  private let keys: DistinctDraws
  private let values: DistinctDraws
  /// By gap: its weight, and when it is drawn.
  private let weights: UnsafeMutablePointer<Double>
  private let arrivals: UnsafeMutablePointer<Double>

  package init(options: MultiQueryRecallOptions) {
    self.options = options
    let (vocabulary, pairs) = (options.vocabulary, options.pairs)
    shape = TaskShape(
      input: .tokens(vocabulary: vocabulary), outputSize: vocabulary, loss: .softmaxCrossEntropy,
      outputSteps: .every, maximumSteps: options.length)
    baselines = [
      TrivialBaseline(name: "a shown value", metric: "loss", value: log(Double(pairs))),
      TrivialBaseline(name: "a shown value", metric: "accuracy", value: 1 / Double(pairs)),
    ]
    space = (options.length - 2 * pairs) / 2
    keys = DistinctDraws(below: vocabulary / 2 - 1, capacity: pairs)
    values = DistinctDraws(below: vocabulary - vocabulary / 2, capacity: pairs)
    weights = .allocate(capacity: space)
    arrivals = .allocate(capacity: space)
    arrivals.initialize(repeating: 0, count: space)
    for gap in 0..<space {
      (weights + gap).initialize(to: pow(Double(gap + 1), options.power - 1))
    }
  }

  deinit {
    weights.deallocate()
    arrivals.deallocate()
  }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int) {
    let rows = batch.rows
    let tokens = batch.tokens.baseAddress! + row
    let classes = batch.classes.baseAddress! + row
    let answers = batch.weights.baseAddress! + row
    for step in 0..<options.length {
      let filler = options.randomFillers ? draws.integer(below: options.vocabulary) : 0
      tokens[step &* rows] = Int32(truncatingIfNeeded: filler)
      classes[step &* rows] = 0
      answers[step &* rows] = 0
    }
    keys.draw(options.pairs, &draws)
    values.draw(options.pairs, &draws)
    // A race of exponential clocks: the order of arrival is that of draws without replacement.
    for gap in 0..<space { arrivals[gap] = -log(1 - draws.uniform()) / weights[gap] }
    for pair in 0..<options.pairs {
      var first = 0
      for gap in 1..<max(space, 1) where arrivals[gap] < arrivals[first] { first = gap }
      arrivals[first] = .infinity
      let key = 1 + keys[pair]
      let value = Int32(options.vocabulary / 2) + values[pair]
      let query = 2 * options.pairs + 2 * first
      tokens[2 * pair &* rows] = key
      tokens[(2 * pair + 1) &* rows] = value
      tokens[query &* rows] = key
      classes[query &* rows] = value
      answers[query &* rows] = 1
    }
  }
}
