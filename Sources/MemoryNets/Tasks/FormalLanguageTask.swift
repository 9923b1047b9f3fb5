import Foundation

/// The options of `formal_language`.
package struct FormalLanguageOptions: Options {
  package var language = FormalLanguageName.markedReverseAndCopy
  /// Letters of w, or kinds of brackets; a^n b^n c^n and the hardest language have their own.
  package var symbols = 2
  /// Of training and validation strings.
  package var minimumLength = 40
  /// Of training and validation strings.
  package var maximumLength = 80
  package var trainSize = 10_000
  package var validationSize = 1000
  /// The bounds of the parts of the test set: 40 to 100, 100 to 200 and 200 to 400.
  package var testLengths = [40, 100, 200, 400]
  /// Test strings of each length that there is within a part.
  package var testPerLength = 100
  /// What the loss that is minimised is a mean over: `sequences` of the sums over a string, or
  /// `answers`.
  package var lossMean = TaskShape.LossMean.sequences

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems: [OptionProblem] = []
    func check(_ option: String, _ value: Int, _ range: ClosedRange<Int>) {
      guard !range.contains(value) else { return }
      problems.append(
        OptionProblem(
          option, "is \(value); \(range.lowerBound) to \(range.upperBound) are possible"))
    }
    check("symbols", symbols, 1...100_000)
    check("minimum_length", minimumLength, 1...100_000)
    check("maximum_length", maximumLength, 1...100_000)
    check("train_size", trainSize, 1...Int(Int32.max))
    check("validation_size", validationSize, 1...Int(Int32.max))
    check("test_per_length", testPerLength, 1...1_000_000)
    let isAscending = zip(testLengths, testLengths.dropFirst()).allSatisfy { $0 < $1 }
    if testLengths.count < 2 || !isAscending || !testLengths.allSatisfy({ 1...100_000 ~= $0 }) {
      problems.append(
        OptionProblem(
          "test_lengths",
          "is \(testLengths); at least two ascending lengths are needed, "
            + "1 to 100000"))
    }
    guard problems.isEmpty else { return problems }
    if lengths(minimumLength...max(minimumLength, maximumLength)).isEmpty
      || maximumLength < minimumLength
    {
      problems.append(
        OptionProblem(
          "maximum_length",
          "is \(maximumLength); no \(language.rawValue) has \(minimumLength) to that many symbols"))
    }
    for part in testParts where lengths(part).isEmpty {
      problems.append(
        OptionProblem(
          "test_lengths",
          "is \(testLengths); no \(language.rawValue) has \(part.lowerBound) to "
            + "\(part.upperBound) symbols"))
    }
    return problems
  }

  var testParts: [ClosedRange<Int>] {
    zip(testLengths, testLengths.dropFirst()).map { $0...$1 }
  }

  /// The lengths of the language's strings within a range.
  package func lengths(_ range: ClosedRange<Int>) -> [Int] {
    let language = FormalLanguage(language, symbols: symbols, maximumLength: 2)
    return range.filter(language.has)
  }
}

/// Language modelling of a formal language: predict each symbol of a string and its end.
///
/// Step 0 shows a start symbol, step t + 1 symbol t; the answer is the next symbol, at last the end,
/// so that a string of n symbols has n + 1 steps. All strings of a batch are of one length. The
/// sampler draws a length uniformly from those in range, then a string of that length.
package final class FormalLanguageTask: LengthBatchedTask {
  package let shape: TaskShape
  package var dataDigest: String { "" }
  private let language: FormalLanguage
  private let options: FormalLanguageOptions
  private let trainLengths: [Int]
  private let key: PhiloxKey
  let batches: LengthBatches
  private var string: [Int32] = []

  package init(options: FormalLanguageOptions, key: PhiloxKey) {
    self.options = options
    self.key = key
    let longest = max(options.maximumLength, options.testLengths.last ?? 0)
    language = FormalLanguage(
      options.language, symbols: options.symbols, maximumLength: longest)
    let lengths = options.lengths(options.minimumLength...options.maximumLength)
    trainLengths = lengths
    var shape = TaskShape(
      input: .tokens(vocabulary: language.vocabulary + 1), outputSize: language.vocabulary + 1,
      loss: .softmaxCrossEntropy, outputSteps: .every, maximumSteps: longest + 1,
      maximumTrainingSteps: options.maximumLength + 1)
    shape.lossMean = options.lossMean
    shape.measures = [.perplexity, .excess]
    self.shape = shape

    func drawn(_ split: DataSplit, _ count: Int) -> [Int32] {
      (0..<count).map { sequence in
        var draws = PhiloxStream(key: key.derived(split.rawValue), stream: UInt64(sequence))
        return Int32(Self.length(&draws, of: lengths))
      }
    }
    var test: [Int32] = []
    var parts: [Int32] = []
    for (part, range) in options.testParts.enumerated() {
      for length in options.lengths(range) {
        test += repeatElement(Int32(length), count: options.testPerLength)
        parts += repeatElement(Int32(part), count: options.testPerLength)
      }
    }
    batches = LengthBatches(
      lengths: [
        .train: drawn(.train, options.trainSize),
        .validation: drawn(.validation, options.validationSize), .test: test,
      ], parts: [.test: parts], key: key.derived("order"))
  }

  private static func length(_ draws: inout PhiloxStream, of lengths: [Int]) -> Int {
    lengths[draws.integer(below: lengths.count)]
  }

  package var byteCount: Int { batches.byteCount }

  /// `40_100`, `100_200`, `200_400` of the test split.
  package func parts(of split: DataSplit) -> [String] {
    split == .test ? options.testParts.map { "\($0.lowerBound)_\($0.upperBound)" } : []
  }

  func fill(_ batch: Batch, _ split: DataSplit, _ sequences: ArraySlice<Int32>) {
    let rows = sequences.count
    let splitKey = key.derived(split.rawValue)
    for (row, sequence) in sequences.enumerated() {
      let nats = sample(Int(sequence), split, splitKey)
      if row == 0 { batch.resize(rows: rows, steps: string.count + 1) }
      batch.bound += nats
      let start = Int32(language.vocabulary)
      let end = start
      for step in 0...string.count {
        batch.tokens[step &* rows &+ row] = step == 0 ? start : string[step - 1]
        batch.classes[step &* rows &+ row] = step == string.count ? end : string[step]
        batch.weights[step &* rows &+ row] = 1
      }
    }
  }

  /// Puts a sequence into `string` and gives its -ln p under the sampler of its split or part.
  private func sample(_ sequence: Int, _ split: DataSplit, _ key: PhiloxKey) -> Double {
    var draws = PhiloxStream(key: key, stream: UInt64(sequence))
    var length = batches.length(of: Int32(sequence), split)
    var choices = trainLengths.count
    if split == .test {
      choices = testChoices(sequence)
    } else {
      length = Self.length(&draws, of: trainLengths)
    }
    return log(Double(choices)) + language.sample(length: length, &draws, into: &string)
  }

  /// The number of lengths in the part of the test set that `sequence` belongs to.
  private func testChoices(_ sequence: Int) -> Int {
    let part = Int(batches.part(of: sequence, .test) ?? 0)
    return partLengths[part]
  }

  private lazy var partLengths = options.testParts.map { options.lengths($0).count }

  package lazy var baselines = FormalLanguageBaselines(self).all
}

extension FormalLanguageTask {
  /// The sets to state baselines for: `validation` and the parts of the test split, with the lengths
  /// of their strings.
  var measuredSets: [(name: String, lengths: [Int])] {
    [("validation", trainLengths)]
      + zip(parts(of: .test), options.testParts).map { ("test.\($0)", options.lengths($1)) }
  }

  /// The language, for baselines.
  var baselineLanguage: FormalLanguage { language }
}
