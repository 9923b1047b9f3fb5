/// The options of `random_memorization`.
package struct RandomMemorizationOptions: Options {
  /// How many steps before the end the wanted number stands; 0 is the last.
  package var distance = 4
  /// Steps of the shortest sequence.
  package var minimumLength = 10
  /// Steps of the longest sequence.
  package var maximumLength = 30
  /// Where the training sequences come from.
  package var data = TrainingData.online
  /// Sequences of the fixed training set; with `data: online` only of its evaluation.
  package var trainSize = 100_000
  /// Sequences of the validation set.
  package var validationSize = 2000
  /// Sequences of the test set.
  package var testSize = 5000

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems = sizes.problems
    if !(1...1_000_000 ~= maximumLength) {
      problems.append(
        OptionProblem("maximum_length", "is \(maximumLength); 1 to 1000000 steps are possible"))
    }
    if !(1...max(maximumLength, 1) ~= minimumLength) {
      problems.append(
        OptionProblem("minimum_length", "is \(minimumLength); 1 to maximum_length is possible"))
    }
    if !(0..<max(minimumLength, 1) ~= distance) {
      problems.append(
        OptionProblem(
          "distance", "is \(distance); 0 up to, not including, minimum_length is possible"))
    }
    return problems
  }

  package var sizes: GeneratedSizes {
    GeneratedSizes(data: data, train: trainSize, validation: validationSize, test: testSize)
  }
}

/// Give the number that stood p steps before the end of a sequence of random length.
///
/// The numbers are uniform in [-1, 1), the length is uniform, and nothing announces the end: a net
/// must at all times hold the last p + 1 numbers. The task of Illium, Schillman, Müller, Gabor and
/// Linnhoff-Popien, "Empirical Analysis of Limits for Memory Distance in Recurrent Neural Networks",
/// 2022, arXiv:2212.11085; range and lengths are ours.
package final class RandomMemorization: SequenceGenerator {
  package let shape: TaskShape
  package let baselines = [TrivialBaseline(name: "always 0", metric: "loss", value: 1.0 / 3)]
  private let options: RandomMemorizationOptions

  package init(options: RandomMemorizationOptions) {
    precondition(options.validate().isEmpty, "options out of range")
    self.options = options
    shape = TaskShape(
      input: .features(size: 1), outputSize: 1, loss: .squaredError, outputSteps: .every,
      maximumSteps: options.maximumLength)
  }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int) {
    let rows = batch.rows
    let features = batch.features.baseAddress! + row
    let targets = batch.targets.baseAddress! + row
    let weights = batch.weights.baseAddress! + row
    let (shortest, longest) = (options.minimumLength, options.maximumLength)
    let length = shortest + draws.integer(below: longest - shortest + 1)
    for step in 0..<longest {
      features[step &* rows] = step < length ? Float(draws.word() >> 8) * 0x1p-23 - 1 : 0
      targets[step &* rows] = 0
      weights[step &* rows] = 0
    }
    targets[(length - 1) &* rows] = features[(length - 1 - options.distance) &* rows]
    weights[(length - 1) &* rows] = 1
  }
}
