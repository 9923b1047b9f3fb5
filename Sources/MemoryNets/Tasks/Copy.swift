import Foundation

/// Where the symbols of a copy sequence stand.
package enum CopyVariant: String, Codable, CaseIterable, Sendable {
  /// All at the start.
  case plain
  /// At random places, in order, within the first `delay` steps.
  case warped
}

/// Which answers of a copy sequence count.
package enum CopyLoss: String, Codable, CaseIterable, Sendable {
  /// Every step, the blanks too.
  case all
  /// The last `length` steps only.
  case recall
}

/// The options of `copy`.
package struct CopyOptions: Options {
  /// Where the symbols stand.
  package var variant = CopyVariant.plain
  /// How many different symbols there are.
  package var symbols = 2
  /// How many symbols are to be remembered.
  package var length = 10
  /// Plain: the steps between the last symbol and the first answer; warped: the steps among which
  /// the symbols are scattered, before the delimiter.
  package var delay = 100
  /// Which answers count.
  package var loss = CopyLoss.all
  /// Where the training sequences come from.
  package var data = TrainingData.online
  /// Sequences of the fixed training set; with `data: online` only of its evaluation.
  package var trainSize = 100_000
  /// Sequences of the validation set.
  package var validationSize = 10_000
  /// Sequences of the test set.
  package var testSize = 20_000

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems = sizes.problems
    if !(2...1_000_000 ~= symbols) {
      problems.append(OptionProblem("symbols", "is \(symbols); 2 to 1000000 are possible"))
    }
    if !(1...1_000_000 ~= length) {
      problems.append(OptionProblem("length", "is \(length); 1 to 1000000 are possible"))
    }
    let least = variant == .warped ? max(1, length) : 1
    if !(least...1_000_000 ~= delay) {
      let why = variant == .warped ? " (warped: the symbols stand within it)" : ""
      problems.append(
        OptionProblem("delay", "is \(delay); \(least) to 1000000 are possible\(why)"))
    }
    return problems
  }

  package var sizes: GeneratedSizes {
    GeneratedSizes(data: data, train: trainSize, validation: validationSize, test: testSize)
  }
}

/// The copy task: repeat S symbols after a delay of T steps.
///
/// Symbols are 0..<K, blank is K, the delimiter K + 1. Plain: S symbols, T blanks of which the last
/// is the delimiter, S blanks. Warped: T steps with the symbols at S random places among blanks,
/// the delimiter, S blanks. The target is blank up to the delimiter, then the S symbols.
package final class Copy: SequenceGenerator {
  package let shape: TaskShape
  package let baselines: [TrivialBaseline]
  private let options: CopyOptions
  private let delimiterStep: Int

  package init(options: CopyOptions) {
    self.options = options
    let (symbols, length) = (options.symbols, options.length)
    delimiterStep = options.variant == .plain ? length + options.delay - 1 : options.delay
    let steps = delimiterStep + 1 + length
    shape = TaskShape(
      input: .tokens(vocabulary: symbols + 2), outputSize: symbols + 2,
      loss: .softmaxCrossEntropy, outputSteps: .every, maximumSteps: steps)
    // Knows when to answer and nothing of the symbols: right on blanks, 1/K and ln K on symbols.
    let counted = options.loss == .all ? steps : length
    let share = Double(length) / Double(counted)
    baselines = [
      TrivialBaseline(
        name: "blind to the symbols", metric: "loss", value: share * log(Double(symbols))),
      TrivialBaseline(
        name: "blind to the symbols", metric: "accuracy",
        value: 1 - share + share / Double(symbols)),
    ]
  }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int) {
    let rows = batch.rows
    let (length, symbols) = (options.length, options.symbols)
    let tokens = batch.tokens.baseAddress! + row
    let classes = batch.classes.baseAddress! + row
    let weights = batch.weights.baseAddress! + row
    let blank = Int32(symbols)
    let early: Float = options.loss == .all ? 1 : 0
    for step in 0..<shape.maximumSteps {
      tokens[step &* rows] = blank
      classes[step &* rows] = blank
      weights[step &* rows] = step > delimiterStep ? 1 : early
    }
    tokens[delimiterStep &* rows] = blank + 1

    // Warped: each step holds a symbol with the probability that leaves every choice of places
    // equally likely (selection sampling, Knuth's algorithm S).
    let span = options.variant == .plain ? length : options.delay
    var written = 0
    for step in 0..<span where written < length {
      let isSymbol =
        span == length || draws.integer(below: span - step) < length - written
      guard isSymbol else { continue }
      let symbol = Int32(truncatingIfNeeded: draws.integer(below: symbols))
      tokens[step &* rows] = symbol
      classes[(delimiterStep + 1 + written) &* rows] = symbol
      written += 1
    }
  }
}
