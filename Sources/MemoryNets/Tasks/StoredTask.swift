/// Sequences of one length that stand in memory or are made by their number.
package protocol SequenceSource {
  /// All sequences have `shape.maximumSteps` steps.
  var shape: TaskShape { get }
  var baselines: [TrivialBaseline] { get }
  var dataDigest: String { get }
  var byteCount: Int { get }

  func count(of split: DataSplit) -> Int

  /// Writes sequence `index` of `split` to row `row`: inputs, targets and weights, every element.
  func write(_ index: Int, of split: DataSplit, to batch: Batch, row: Int)
}

/// A task over the sequences of a data set; each epoch has another order.
package final class StoredTask<Source: SequenceSource>: SequenceTask {
  package let source: Source
  private var order: EpochOrder

  package init(_ source: Source, key: PhiloxKey) {
    self.source = source
    order = EpochOrder(count: source.count(of: .train), key: key.derived("order"))
  }

  package var shape: TaskShape { source.shape }
  package var baselines: [TrivialBaseline] { source.baselines }
  package var dataDigest: String { source.dataDigest }
  package var byteCount: Int { source.byteCount + order.byteCount }

  package func orderTraining(by key: PhiloxKey) {
    order = EpochOrder(count: source.count(of: .train), key: key)
  }

  package func fillTraining(_ batch: Batch, update: Int, batchSize: Int) {
    precondition(update >= 0 && batchSize > 0, "update \(update) of \(batchSize) rows")
    let batches = max(1, order.count / batchSize)
    let (epoch, index) = update.quotientAndRemainder(dividingBy: batches)
    let rows = min(batchSize, order.count)
    let sequences = order.sequences(ofEpoch: epoch)
    batch.resize(rows: rows, steps: shape.maximumSteps)
    for row in 0..<rows {
      source.write(Int(sequences[index * rows + row]), of: .train, to: batch, row: row)
    }
  }

  package func evaluationBatchCount(_ split: DataSplit, batchSize: Int) -> Int {
    (source.count(of: split) + batchSize - 1) / batchSize
  }

  package func fillEvaluation(_ batch: Batch, split: DataSplit, index: Int, batchSize: Int) {
    let first = index * batchSize
    let size = source.count(of: split)
    precondition(index >= 0 && first < size, "batch \(index) of \(size) sequences")
    batch.resize(rows: min(batchSize, size - first), steps: shape.maximumSteps)
    for row in 0..<batch.rows {
      source.write(first + row, of: split, to: batch, row: row)
    }
  }
}
