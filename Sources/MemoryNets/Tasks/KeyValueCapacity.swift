/// Which pairs a `key_value_capacity` sequence shows.
package enum KeyValueSetting: String, Codable, CaseIterable, Sendable {
  /// Every key and every value once.
  case unique
  /// Twice as many pairs, keys and values drawn with replacement; the last value of a key counts.
  case replaced
}

/// The options of `key_value_capacity`.
package struct KeyValueCapacityOptions: Options {
  /// How many keys, and how many values, there are.
  package var size = 20
  /// Which pairs are shown.
  package var setting = KeyValueSetting.unique
  /// Where the training sequences come from.
  package var data = TrainingData.online
  /// Sequences of the fixed training set; with `data: online` only of its evaluation.
  package var trainSize = 10_000
  /// Sequences of the validation set.
  package var validationSize = 1000
  /// Sequences of the test set.
  package var testSize = 2000

  package init() {}

  package func validate() -> [OptionProblem] {
    sizes.problems
      + (1...10_000 ~= size
        ? [] : [OptionProblem("size", "is \(size); 1 to 10000 keys are possible")])
  }

  package var sizes: GeneratedSizes {
    GeneratedSizes(data: data, train: trainSize, validation: validationSize, test: testSize)
  }
}

/// How many pairs a memory holds: after T pairs of S keys and S values, give the value of a key.
///
/// A step shows the one-hot key, the one-hot value and a last feature that is 0; the last step
/// shows the key that is asked for, one of those shown, no value and a 1. The answer is the one-hot
/// value, with the loss 1/2 |v - v'|^2, so that a memory that holds nothing and says 0 has 1/2.
/// The synthetic benchmark of Schlag, Irie and Schmidhuber, "Linear Transformers Are Secretly Fast
/// Weight Programmers", ICML 2021, arXiv:2102.11174.
package final class KeyValueCapacity: SequenceGenerator {
  package let shape: TaskShape
  package let baselines: [TrivialBaseline]
  private let size: Int
  private let setting: KeyValueSetting
  private let keys: DistinctDraws
  private let values: DistinctDraws
  /// By key: its last value.
  private let last: UnsafeMutablePointer<Int32>

  package init(size: Int, setting: KeyValueSetting) {
    precondition(size >= 1, "\(size) keys")
    self.size = size
    self.setting = setting
    shape = TaskShape(
      input: .features(size: 2 * size + 1), outputSize: size, loss: .halfSquaredError,
      outputSteps: .last, maximumSteps: (setting == .unique ? size : 2 * size) + 1)
    baselines = [
      TrivialBaseline(name: "always 0", metric: "loss", value: 0.5),
      TrivialBaseline(
        name: "mean of all values", metric: "loss", value: 0.5 * (1 - 1 / Double(size))),
    ]
    keys = DistinctDraws(below: size, capacity: size)
    values = DistinctDraws(below: size, capacity: size)
    last = .allocate(capacity: size)
    last.initialize(repeating: 0, count: size)
  }

  deinit { last.deallocate() }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int) {
    let features = batch.features.baseAddress!
    let width = 2 * size + 1
    let pairs = shape.maximumSteps - 1
    for step in 0...pairs {
      (features + (step * batch.rows + row) * width).update(repeating: 0, count: width)
    }
    let isUnique = setting == .unique
    keys.draw(isUnique ? size : 0, &draws)
    values.draw(isUnique ? size : 0, &draws)
    let asked = draws.integer(below: pairs)
    var query = 0
    for step in 0..<pairs {
      let key = isUnique ? Int(keys[step]) : draws.integer(below: size)
      let value = isUnique ? Int(values[step]) : draws.integer(below: size)
      let inputs = features + (step * batch.rows + row) * width
      inputs[key] = 1
      inputs[size + value] = 1
      last[key] = Int32(value)
      if step == asked { query = key }
    }
    let inputs = features + (pairs * batch.rows + row) * width
    inputs[query] = 1
    inputs[2 * size] = 1
    let targets = batch.targets.baseAddress! + row * size
    targets.update(repeating: 0, count: size)
    targets[Int(last[query])] = 1
    batch.weights.baseAddress![row] = 1
  }
}
