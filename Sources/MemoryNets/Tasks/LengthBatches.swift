/// Batches that hold sequences of one length each, so that nothing is padding.
///
/// A training batch is full; sequences that do not fill one wait for another epoch, unless their
/// length has no other. In each epoch the sequences of a length and all batches have another order.
package final class LengthBatches {
  private let lengths: [DataSplit: [Int32]]
  /// By split: the part of each sequence.
  private let parts: [DataSplit: [Int32]]
  private var order: EpochOrder
  private var batchKey: PhiloxKey
  private var current: (epoch: Int, batchSize: Int, plan: Plan)?
  private var evaluations: [EvaluationPass: Plan] = [:]

  private struct EvaluationPass: Hashable {
    let split: DataSplit
    let batchSize: Int
  }

  /// Ranges of `sequences`, a batch each.
  private struct Plan {
    var sequences: [Int32] = []
    var batches: [Range<Int>] = []
  }

  /// `lengths` of all sequences, of every split at least one; `parts` where a split has some, in
  /// ascending order.
  package init(lengths: [DataSplit: [Int32]], parts: [DataSplit: [Int32]] = [:], key: PhiloxKey) {
    self.lengths = lengths
    self.parts = parts
    order = EpochOrder(count: lengths[.train]?.count ?? 0, key: key.derived("sequences"))
    batchKey = key.derived("batches")
  }

  package var byteCount: Int {
    let numbers = (lengths.values.map(\.count) + parts.values.map(\.count)).reduce(0, +)
    return numbers * MemoryLayout<Int32>.stride + order.byteCount
  }

  /// Takes the order of the training sequences from `key`.
  package func orderTraining(by key: PhiloxKey) {
    order = EpochOrder(count: order.count, key: key.derived("sequences"))
    batchKey = key.derived("batches")
    current = nil
  }

  package func length(of sequence: Int32, _ split: DataSplit) -> Int {
    Int(lengths[split]?[Int(sequence)] ?? 0)
  }

  /// The part that a sequence of `split` belongs to, if the split has parts.
  package func part(of sequence: Int, _ split: DataSplit) -> Int? {
    parts[split].map { Int($0[sequence]) }
  }

  /// The sequences of update number `update`, all of one length.
  package func training(update: Int, batchSize: Int) -> ArraySlice<Int32> {
    precondition(update >= 0 && batchSize > 0, "update \(update) of \(batchSize) rows")
    if let current, current.batchSize == batchSize {
      let (epoch, index) = update.quotientAndRemainder(dividingBy: current.plan.batches.count)
      if epoch == current.epoch {
        return current.plan.sequences[current.plan.batches[index]]
      }
    }
    let known = current?.batchSize == batchSize ? current?.plan.batches.count : nil
    let count = known ?? trainingPlan(epoch: 0, batchSize: batchSize).batches.count
    let (epoch, index) = update.quotientAndRemainder(dividingBy: count)
    let plan = trainingPlan(epoch: epoch, batchSize: batchSize)
    current = (epoch, batchSize, plan)
    return plan.sequences[plan.batches[index]]
  }

  private func trainingPlan(epoch: Int, batchSize: Int) -> Plan {
    let lengths = lengths[.train] ?? []
    var groups: [Int32: [Int32]] = [:]
    for sequence in order.sequences(ofEpoch: epoch) {
      groups[lengths[Int(sequence)], default: []].append(sequence)
    }
    var plan = Plan()
    for (_, group) in groups.sorted(by: { $0.key < $1.key }) {
      let rows = min(batchSize, group.count)
      for first in stride(from: 0, through: group.count - rows, by: rows) {
        plan.batches.append(plan.sequences.count..<plan.sequences.count + rows)
        plan.sequences += group[first..<first + rows]
      }
    }
    var draws = PhiloxStream(key: batchKey, stream: UInt64(epoch))
    draws.shuffle(&plan.batches)
    return plan
  }

  package func evaluationBatchCount(_ split: DataSplit, batchSize: Int) -> Int {
    evaluationPlan(split, batchSize).batches.count
  }

  /// The sequences of batch `index` of `split`, all of one length and one part.
  package func evaluation(_ split: DataSplit, index: Int, batchSize: Int) -> ArraySlice<Int32> {
    let plan = evaluationPlan(split, batchSize)
    precondition(plan.batches.indices ~= index, "batch \(index) of \(plan.batches.count)")
    return plan.sequences[plan.batches[index]]
  }

  /// The part that batch `index` of `split` belongs to, if the split has parts.
  package func part(of split: DataSplit, index: Int, batchSize: Int) -> Int? {
    let batch = evaluation(split, index: index, batchSize: batchSize)
    return batch.first.flatMap { part(of: Int($0), split) }
  }

  private func evaluationPlan(_ split: DataSplit, _ batchSize: Int) -> Plan {
    let pass = EvaluationPass(split: split, batchSize: batchSize)
    if let plan = evaluations[pass] { return plan }
    let lengths = lengths[split] ?? []
    let parts = parts[split]
    func group(_ sequence: Int32) -> (Int32, Int32) {
      (parts?[Int(sequence)] ?? 0, lengths[Int(sequence)])
    }
    var plan = Plan()
    plan.sequences = (0..<Int32(lengths.count)).sorted { a, b in
      let (left, right) = (group(a), group(b))
      return left == right ? a < b : left < right
    }
    for (place, sequence) in plan.sequences.enumerated() {
      if let last = plan.batches.last, last.count < batchSize,
        group(plan.sequences[last.lowerBound]) == group(sequence)
      {
        plan.batches[plan.batches.count - 1] = last.lowerBound..<place + 1
      } else {
        plan.batches.append(place..<place + 1)
      }
    }
    evaluations[pass] = plan
    return plan
  }
}

/// A task whose batches hold sequences of one length each.
protocol LengthBatchedTask: SequenceTask {
  var batches: LengthBatches { get }

  /// Fills `batch` with sequences of `split`, all of one length.
  func fill(_ batch: Batch, _ split: DataSplit, _ sequences: ArraySlice<Int32>)
}

extension LengthBatchedTask {
  package func orderTraining(by key: PhiloxKey) { batches.orderTraining(by: key) }

  package func fillTraining(_ batch: Batch, update: Int, batchSize: Int) {
    fill(batch, .train, batches.training(update: update, batchSize: batchSize))
  }

  package func evaluationBatchCount(_ split: DataSplit, batchSize: Int) -> Int {
    batches.evaluationBatchCount(split, batchSize: batchSize)
  }

  package func fillEvaluation(_ batch: Batch, split: DataSplit, index: Int, batchSize: Int) {
    fill(batch, split, batches.evaluation(split, index: index, batchSize: batchSize))
  }

  package func part(of split: DataSplit, index: Int, batchSize: Int) -> Int? {
    batches.part(of: split, index: index, batchSize: batchSize)
  }
}
