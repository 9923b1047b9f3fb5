/// The options of `adding`.
package struct AddingOptions: Options {
  /// Steps of a sequence.
  package var length = 100
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
    if !(2...1_000_000 ~= length) {
      problems.append(
        OptionProblem("length", "is \(length); 2 to 1000000 steps are possible, two are marked"))
    }
    return problems
  }

  package var sizes: GeneratedSizes {
    GeneratedSizes(data: data, train: trainSize, validation: validationSize, test: testSize)
  }
}

/// The adding problem: the sum of the two marked numbers of a sequence.
///
/// Feature 0 is uniform in [0, 1), feature 1 is 1 at exactly two steps, drawn uniformly, and 0
/// elsewhere. The best constant answer is 1, with the variance of the sum, 2/12, as its loss.
package final class Adding: SequenceGenerator {
  package let shape: TaskShape
  package let baselines = [TrivialBaseline(name: "always 1", metric: "loss", value: 1.0 / 6)]

  package init(length: Int) {
    precondition(length >= 2, "\(length) steps")
    shape = TaskShape(
      input: .features(size: 2), outputSize: 1, loss: .squaredError, outputSteps: .last,
      maximumSteps: length)
  }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int) {
    let length = shape.maximumSteps
    let stride = 2 &* batch.rows
    let features = batch.features.baseAddress! + 2 * row
    for step in 0..<length {
      features[step &* stride] = Float(draws.word() >> 8) * 0x1p-24
      features[step &* stride &+ 1] = 0
    }
    let first = draws.integer(below: length)
    var second = draws.integer(below: length - 1)
    if second >= first { second += 1 }
    features[first &* stride &+ 1] = 1
    features[second &* stride &+ 1] = 1
    batch.targets.baseAddress![row] = features[first &* stride] + features[second &* stride]
    batch.weights.baseAddress![row] = 1
  }
}
