/// Which pairs a `key_value_capacity` sequence shows.
package enum KeyValueSetting: String, Codable, CaseIterable, Sendable {
  /// Every key and every value once.
  case unique
  /// Twice as many pairs, keys and values drawn with replacement; the last value of a key counts.
  case replaced
}

/// What stands for a key in the input of `key_value_capacity`.
package enum KeyVectors: String, Codable, CaseIterable, Sendable {
  case oneHot = "one_hot"
  /// A vector of 2.2 S standard normal numbers, rounded down, the same in every trial.
  case gaussian
}

/// The options of `key_value_capacity`.
package struct KeyValueCapacityOptions: Options {
  /// How many keys, and how many values, there are.
  package var size = 20
  /// Which pairs are shown.
  package var setting = KeyValueSetting.unique
  /// What stands for a key.
  package var keyVectors = KeyVectors.oneHot
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
/// A step shows the vector of a key, the one-hot value and a last feature that is 0; the last step
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
  /// Of all keys, one after another.
  private let vectors: [Float]
  private let vectorSize: Int
  /// By key: its last value.
  private let last: UnsafeMutablePointer<Int32>

  package init(size: Int, setting: KeyValueSetting, keyVectors: KeyVectors = .oneHot) {
    precondition(size >= 1, "\(size) keys")
    self.size = size
    self.setting = setting
    vectors = Self.vectors(size, keyVectors)
    vectorSize = vectors.count / size
    shape = TaskShape(
      input: .features(size: vectorSize + size + 1), outputSize: size, loss: .halfSquaredError,
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

  /// Gaussian ones are, key by key, of stream 0 of the key 0 derived for "key_value_capacity".
  private static func vectors(_ size: Int, _ kind: KeyVectors) -> [Float] {
    switch kind {
    case .oneHot: return (0..<size * size).map { $0 / size == $0 % size ? 1 : 0 }
    case .gaussian:
      var draws = PhiloxStream(key: PhiloxKey(0).derived("key_value_capacity"), stream: 0)
      return (0..<size * (size * 11 / 5)).map { _ in Float(draws.normal()) }
    }
  }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int) {
    let features = batch.features.baseAddress!
    let width = vectorSize + size + 1
    func show(_ key: Int, _ inputs: UnsafeMutablePointer<Float>) {
      vectors.withUnsafeBufferPointer {
        inputs.update(from: $0.baseAddress! + key * vectorSize, count: vectorSize)
      }
    }
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
      show(key, inputs)
      inputs[vectorSize + value] = 1
      last[key] = Int32(value)
      if step == asked { query = key }
    }
    let inputs = features + (pairs * batch.rows + row) * width
    show(query, inputs)
    inputs[width - 1] = 1
    let targets = batch.targets.baseAddress! + row * size
    targets.update(repeating: 0, count: size)
    targets[Int(last[query])] = 1
    batch.weights.baseAddress![row] = 1
  }
}
