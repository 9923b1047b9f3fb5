import MemoryNets

/// A copy of what a batch holds within its extent.
struct BatchContents: Equatable {
  let rows: Int
  let steps: Int
  let answers: Int
  let continuesState: Bool
  let tokens: [Int32]
  let features: [Float]
  let classes: [Int32]
  let targets: [Float]
  let weights: [Float]
  private let featureSize: Int
  private let outputSize: Int

  init(_ batch: Batch) {
    rows = batch.rows
    steps = batch.steps
    answers = batch.answers
    continuesState = batch.continuesState
    outputSize = batch.shape.outputSize
    switch batch.shape.input {
    case .tokens:
      featureSize = 0
      tokens = Array(batch.tokens.prefix(steps * rows))
    case .features(let size):
      featureSize = size
      tokens = []
    }
    features = Array(batch.features.prefix(steps * rows * featureSize))
    let isClasses = batch.shape.loss == .softmaxCrossEntropy
    classes = isClasses ? Array(batch.classes.prefix(answers * rows)) : []
    targets = isClasses ? [] : Array(batch.targets.prefix(answers * rows * outputSize))
    weights = Array(batch.weights.prefix(answers * rows))
  }

  func tokens(row: Int) -> [Int] { (0..<steps).map { Int(tokens[$0 * rows + row]) } }

  func classes(row: Int) -> [Int] { (0..<answers).map { Int(classes[$0 * rows + row]) } }

  func weights(row: Int) -> [Float] { (0..<answers).map { weights[$0 * rows + row] } }

  /// Input, target and weight of one row, step by step.
  func records(row: Int) -> [[Float]] {
    (0..<steps).map { step in
      let input = step * rows + row
      var record = tokens.isEmpty ? [] : [Float(tokens[input])]
      record += features[input * featureSize..<(input + 1) * featureSize]
      guard step >= steps - answers else { return record }
      let answer = (step - (steps - answers)) * rows + row
      if !classes.isEmpty { record.append(Float(classes[answer])) }
      if !targets.isEmpty { record += targets[answer * outputSize..<(answer + 1) * outputSize] }
      return record + [weights[answer]]
    }
  }
}

/// Makes batches of a task in memory that held something else before.
final class BatchReader {
  let task: any SequenceTask
  let batchSize: Int
  private let batch: Batch

  init(_ task: any SequenceTask, batchSize: Int) {
    self.task = task
    self.batchSize = batchSize
    batch = Batch(shape: task.shape, maximumRows: batchSize)
  }

  func training(_ update: Int) -> BatchContents {
    poison()
    task.fillTraining(batch, update: update, batchSize: batchSize)
    return BatchContents(batch)
  }

  func evaluation(_ split: DataSplit) -> [BatchContents] {
    (0..<task.evaluationBatchCount(split, batchSize: batchSize)).map { index in
      poison()
      task.fillEvaluation(batch, split: split, index: index, batchSize: batchSize)
      return BatchContents(batch)
    }
  }

  /// The sequences of batches in order, pieces joined and padding cut off.
  static func sequences(in batches: [BatchContents]) -> [[Float]] {
    var sequences: [[Float]] = []
    for batch in batches {
      for row in 0..<batch.rows {
        var records = batch.records(row: row)
        if batch.answers == batch.steps {
          while let last = records.last, last.last == 0 { records.removeLast() }
        }
        let joined = Array(records.joined())
        if batch.continuesState {
          sequences[sequences.count - batch.rows + row] += joined
        } else {
          sequences.append(joined)
        }
      }
    }
    return sequences
  }

  private func poison() {
    batch.tokens.update(repeating: -7)
    batch.features.update(repeating: .nan)
    batch.classes.update(repeating: -7)
    batch.targets.update(repeating: .nan)
    batch.weights.update(repeating: .nan)
    batch.firstStep = 7
  }
}
