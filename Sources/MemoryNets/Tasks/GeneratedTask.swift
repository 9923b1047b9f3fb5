/// Where the training sequences of a generated task come from.
package enum TrainingData: String, Codable, CaseIterable, Sendable {
  /// One set, made once from the key and put into another order in each epoch.
  case fixed
  /// Fresh sequences in every update.
  case online
}

/// How many sequences a generated task has.
package struct GeneratedSizes: Hashable, Sendable {
  package var data: TrainingData
  package var train: Int
  package var validation: Int
  package var test: Int

  package init(data: TrainingData, train: Int, validation: Int, test: Int) {
    self.data = data
    self.train = train
    self.validation = validation
    self.test = test
  }

  /// The problems of the options `train_size`, `validation_size` and `test_size`.
  package var problems: [OptionProblem] {
    let sizes = [("train_size", train), ("validation_size", validation), ("test_size", test)]
    return sizes.compactMap { name, size in
      1...Int(Int32.max) ~= size
        ? nil : OptionProblem(name, "is \(size); 1 to \(Int32.max) sequences are possible")
    }
  }
}

/// A family of sequences of one length, each made from its own random numbers.
package protocol SequenceGenerator {
  /// All sequences have `shape.maximumSteps` steps.
  var shape: TaskShape { get }
  var baselines: [TrivialBaseline] { get }

  /// Writes the sequence of `draws` to row `row`: inputs, targets and weights, every element.
  func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int)

  /// Writes a sequence that belongs to `split`; where splits are of one kind, any.
  func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int, of split: DataSplit)
}

extension SequenceGenerator {
  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int, of split: DataSplit) {
    write(&draws, to: batch, row: row)
  }
}

/// A task whose sequences are made when they are needed: sequence i of a split is stream i of the
/// split's key, so that fixed sets cost no memory and any rank can make any of them.
///
/// A fixed training set smaller than a batch is one batch of all its sequences; otherwise an epoch
/// ends before the sequences that do not fill a batch.
package final class GeneratedTask<Generator: SequenceGenerator>: SequenceTask {
  package let generator: Generator
  package let sizes: GeneratedSizes
  private let trainKey: PhiloxKey
  private let validationKey: PhiloxKey
  private let testKey: PhiloxKey
  private var order: EpochOrder?

  package init(_ generator: Generator, sizes: GeneratedSizes, key: PhiloxKey) {
    self.generator = generator
    self.sizes = sizes
    trainKey = key.derived("train")
    validationKey = key.derived("validation")
    testKey = key.derived("test")
    orderTraining(by: key.derived("order"))
  }

  package var shape: TaskShape { generator.shape }
  package var baselines: [TrivialBaseline] { generator.baselines }
  package var dataDigest: String { "" }
  package var byteCount: Int { order?.byteCount ?? 0 }

  package func orderTraining(by key: PhiloxKey) {
    order = sizes.data == .fixed ? EpochOrder(count: sizes.train, key: key) : nil
  }

  package func fillTraining(_ batch: Batch, update: Int, batchSize: Int) {
    precondition(update >= 0 && batchSize > 0, "update \(update) of \(batchSize) rows")
    guard let order else {
      fill(batch, .train, first: update * batchSize, rows: batchSize)
      return
    }
    let batches = max(1, order.count / batchSize)
    let (epoch, index) = update.quotientAndRemainder(dividingBy: batches)
    let rows = min(batchSize, order.count)
    let sequences = order.sequences(ofEpoch: epoch)
    batch.resize(rows: rows, steps: shape.maximumSteps)
    for row in 0..<rows {
      let sequence = UInt64(UInt32(bitPattern: sequences[index * rows + row]))
      var draws = PhiloxStream(key: trainKey, stream: sequence)
      generator.write(&draws, to: batch, row: row, of: .train)
    }
  }

  package func evaluationBatchCount(_ split: DataSplit, batchSize: Int) -> Int {
    (size(of: split) + batchSize - 1) / batchSize
  }

  package func fillEvaluation(_ batch: Batch, split: DataSplit, index: Int, batchSize: Int) {
    let first = index * batchSize
    let size = size(of: split)
    precondition(index >= 0 && first < size, "batch \(index) of \(size) sequences")
    fill(batch, split, first: first, rows: min(batchSize, size - first))
  }

  private func fill(_ batch: Batch, _ split: DataSplit, first: Int, rows: Int) {
    let key = key(of: split)
    batch.resize(rows: rows, steps: shape.maximumSteps)
    for row in 0..<rows {
      var draws = PhiloxStream(key: key, stream: UInt64(first + row))
      generator.write(&draws, to: batch, row: row, of: split)
    }
  }

  private func size(of split: DataSplit) -> Int {
    switch split {
    case .train: sizes.train
    case .validation: sizes.validation
    case .test: sizes.test
    }
  }

  private func key(of split: DataSplit) -> PhiloxKey {
    switch split {
    case .train: trainKey
    case .validation: validationKey
    case .test: testKey
    }
  }
}
