import Foundation

/// `mqar` with sequences of several lengths and numbers of pairs: each batch holds those of one
/// configuration.
///
/// Sequence i of a split is stream i of the split's key, whichever configuration it belongs to. With
/// fresh training sequences the configurations follow each other as with a fixed set. The parts of
/// the validation and test splits are the configurations they are made of, `64_4` for 64 steps and 4
/// pairs.
final class MixedRecall: LengthBatchedTask {
  let shape: TaskShape
  let baselines: [TrivialBaseline]
  var dataDigest: String { "" }
  let batches: LengthBatches
  private let options: MultiQueryRecallOptions
  private let key: PhiloxKey
  private let generators: [MultiQueryRecallOptions.Configuration: MultiQueryRecall]
  /// By split: what its sequences are of, one after the other.
  private let configurations: [DataSplit: [MultiQueryRecallOptions.Configuration]]

  init(options: MultiQueryRecallOptions, key: PhiloxKey) {
    let (train, evaluation) = (options.trainConfigurations, options.testConfigurations)
    self.options = options
    self.key = key
    configurations = [.train: train, .validation: evaluation, .test: evaluation]
    let all = Set(train + evaluation)
    generators = Dictionary(
      uniqueKeysWithValues: all.map { configuration in
        var own = options
        (own.length, own.pairs) = (configuration.length, configuration.pairs)
        return (configuration, MultiQueryRecall(options: own))
      })
    func longest(_ configurations: [MultiQueryRecallOptions.Configuration]) -> Int {
      configurations.reduce(0) { max($0, $1.length) }
    }
    shape = TaskShape(
      input: .tokens(vocabulary: options.vocabulary), outputSize: options.vocabulary,
      loss: .softmaxCrossEntropy, outputSteps: .every, maximumSteps: longest(Array(all)),
      maximumTrainingSteps: longest(train))
    /// The number of its configuration for each sequence of a split.
    func numbers(_ sizes: [Int]) -> [Int32] {
      sizes.enumerated().flatMap { repeatElement(Int32($0), count: $1) }
    }
    let validation = numbers(evaluation.map { _ in options.validationSize })
    let test = numbers(evaluation.map { _ in options.testSize })
    batches = LengthBatches(
      lengths: [
        .train: numbers(options.trainConfigurationSizes), .validation: validation, .test: test,
      ], parts: [.validation: validation, .test: test], key: key.derived("order"))
    baselines = Self.baselines(evaluation)
  }

  /// Of one who has seen the values and binds none.
  private static func baselines(
    _ configurations: [MultiQueryRecallOptions.Configuration]
  ) -> [TrivialBaseline] {
    func baselines(_ part: String, of configurations: [MultiQueryRecallOptions.Configuration])
      -> [TrivialBaseline]
    {
      let answers = configurations.reduce(0) { $0 + Double($1.pairs) }
      let loss = configurations.reduce(0) { $0 + Double($1.pairs) * log(Double($1.pairs)) }
      return [
        TrivialBaseline(name: "a shown value", metric: "\(part).loss", value: loss / answers),
        TrivialBaseline(
          name: "a shown value", metric: "\(part).accuracy",
          value: Double(configurations.count) / answers),
      ]
    }
    return ["validation", "test"].flatMap { split in
      baselines(split, of: configurations)
        + configurations.flatMap { baselines("\(split).\($0.name)", of: [$0]) }
    }
  }

  var byteCount: Int { batches.byteCount }

  func parts(of split: DataSplit) -> [String] {
    split == .train ? [] : options.testConfigurations.map(\.name)
  }

  func orderTraining(by key: PhiloxKey) {
    if options.data == .fixed { batches.orderTraining(by: key) }
  }

  func fillTraining(_ batch: Batch, update: Int, batchSize: Int) {
    let sequences = batches.training(update: update, batchSize: batchSize)
    let first = UInt64(update) * UInt64(batchSize)
    fill(batch, .train, sequences) { row, sequence in
      options.data == .online ? first + UInt64(row) : UInt64(UInt32(bitPattern: sequence))
    }
  }

  func fill(_ batch: Batch, _ split: DataSplit, _ sequences: ArraySlice<Int32>) {
    fill(batch, split, sequences) { _, sequence in UInt64(UInt32(bitPattern: sequence)) }
  }

  private func fill(
    _ batch: Batch, _ split: DataSplit, _ sequences: ArraySlice<Int32>,
    stream: (_ row: Int, _ sequence: Int32) -> UInt64
  ) {
    guard let first = sequences.first,
      let configuration = configurations[split]?[batches.length(of: first, split)],
      let generator = generators[configuration]
    else { return }
    let splitKey = key.derived(split.rawValue)
    batch.resize(rows: sequences.count, steps: configuration.length)
    for (row, sequence) in sequences.enumerated() {
      var draws = PhiloxStream(key: splitKey, stream: stream(row, sequence))
      generator.write(&draws, to: batch, row: row)
    }
  }
}
