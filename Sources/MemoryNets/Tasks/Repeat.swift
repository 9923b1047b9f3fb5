import Foundation

/// What a decoder is shown while it answers.
package enum RepeatFeedback: String, Codable, CaseIterable, Sendable {
  /// The right symbol of the step before.
  case teacher
  /// Always the same token.
  case none
}

/// The options of `repeat`.
package struct RepeatOptions: Options {
  /// How many different symbols there are.
  package var symbols = 30
  /// Symbols of the shortest string.
  package var minimumLength = 2
  /// Symbols of the longest string.
  package var maximumLength = 9
  /// Symbols of every test string; 0 draws them like the others.
  package var testLength = 0
  /// What the model sees while it answers.
  package var feedback = RepeatFeedback.teacher
  /// Where the training sequences come from.
  package var data = TrainingData.online
  /// Sequences of the fixed training set; with `data: online` only of its evaluation.
  package var trainSize = 100_000
  /// Sequences of the validation set.
  package var validationSize = 5000
  /// Sequences of the test set.
  package var testSize = 5000

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems = sizes.problems
    if !(2...1_000_000 ~= symbols) {
      problems.append(OptionProblem("symbols", "is \(symbols); 2 to 1000000 are possible"))
    }
    if !(1...1_000_000 ~= maximumLength) {
      problems.append(
        OptionProblem("maximum_length", "is \(maximumLength); 1 to 1000000 symbols are possible"))
    }
    if !(1...max(maximumLength, 1) ~= minimumLength) {
      problems.append(
        OptionProblem("minimum_length", "is \(minimumLength); 1 to maximum_length is possible"))
    }
    if !(0...1_000_000 ~= testLength) {
      problems.append(
        OptionProblem("test_length", "is \(testLength); 0 or up to 1000000 symbols are possible"))
    }
    return problems
  }

  package var sizes: GeneratedSizes {
    GeneratedSizes(data: data, train: trainSize, validation: validationSize, test: testSize)
  }
}

/// Repeat a string: n symbols, a start token, and the same n symbols as the answer.
///
/// Symbols are 0..<K, the start token is K, the token without meaning K + 1. The first answer is due
/// at the start token's step; after it the model sees the right symbol of the step before, or K + 1.
/// Strings whose digest is 0 modulo 5, a fifth of all of any length, are those of validation and
/// test and never trained on. Csordás, Potts, Manning and Geiger, "Recurrent Neural Networks Learn
/// to Store and Generate Sequences using Non-Linear Representations", 2024, arXiv:2408.10920.
package final class Repeat: SequenceGenerator {
  package let shape: TaskShape
  package let baselines: [TrivialBaseline]
  private let options: RepeatOptions
  private let string: UnsafeMutablePointer<Int32>

  package init(options: RepeatOptions) {
    precondition(options.validate().isEmpty, "options out of range")
    self.options = options
    let longest = max(options.maximumLength, options.testLength)
    shape = TaskShape(
      input: .tokens(vocabulary: options.symbols + 2), outputSize: options.symbols,
      loss: .softmaxCrossEntropy, outputSteps: .every, maximumSteps: 2 * longest)
    baselines = [
      TrivialBaseline(name: "any symbol", metric: "loss", value: log(Double(options.symbols))),
      TrivialBaseline(name: "any symbol", metric: "accuracy", value: 1 / Double(options.symbols)),
    ]
    string = .allocate(capacity: longest)
    string.initialize(repeating: 0, count: longest)
  }

  deinit { string.deallocate() }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int) {
    write(&draws, to: batch, row: row, of: .train)
  }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int, of split: DataSplit) {
    var length = options.testLength
    repeat {
      if split != .test || options.testLength == 0 {
        length =
          options.minimumLength
          + draws.integer(below: options.maximumLength - options.minimumLength + 1)
      }
      for i in 0..<length { string[i] = Int32(draws.integer(below: options.symbols)) }
    } while isHeldOut(length) == (split == .train)
    let rows = batch.rows
    let tokens = batch.tokens.baseAddress! + row
    let classes = batch.classes.baseAddress! + row
    let weights = batch.weights.baseAddress! + row
    let start = Int32(options.symbols)
    for step in 0..<shape.maximumSteps {
      let place = step &* rows
      let answer = step - length
      let isAnswer = 0..<length ~= answer
      classes[place] = isAnswer ? string[answer] : 0
      weights[place] = isAnswer ? 1 : 0
      tokens[place] =
        if step < length { string[step] } else if answer == 0 {
          start
        } else if isAnswer && options.feedback == .teacher { string[answer - 1] } else { start + 1 }
    }
  }

  /// Whether the string that was drawn belongs to validation and test: FNV-1a over its symbols, mixed by
  /// a Philox block.
  private func isHeldOut(_ length: Int) -> Bool {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for i in 0..<length { hash = (hash ^ UInt64(UInt32(bitPattern: string[i]))) &* 0x100_0000_01b3 }
    let words = philoxBlock(
      counter: (UInt32(truncatingIfNeeded: hash), UInt32(hash >> 32), UInt32(length), 0),
      key: PhiloxKey(0).derived("repeat"))
    return words.0 % 5 == 0
  }
}
