import CKernels

/// Starts from data: `DataStart`.
extension Network {
  package var firstUpdate: Int { dataStart?.firstUpdate ?? 0 }

  package func resume(after updates: Int) {
    runsForerunner = forerunner != nil && updates <= firstUpdate
  }

  package func prepare(
    for update: Int, of task: any SequenceTask, batchSize: Int
  ) -> Bool {
    guard let dataStart, dataStart.isDue(before: update) else { return false }
    let sequences = trainingSequences(of: task, batchSize: batchSize, dataStart)
    dataStart.set(parameters, from: sequences, before: update)
    if runsForerunner { carriedState.initializeMemory(as: UInt8.self, repeating: 0) }
    runsForerunner = false
    return true
  }

  /// The first training sequences, with their answers.
  private func trainingSequences(
    of task: any SequenceTask, batchSize: Int, _ start: any DataStart
  ) -> TrainingSequences {
    let denormals = ms_flush_denormals()
    defer { ms_restore_denormals(denormals) }
    let batch = Batch(shape: shape, maximumRows: batchSize)
    var result: TrainingSequences?
    for index in 0..<task.evaluationBatchCount(.train, batchSize: batchSize) {
      task.fillEvaluation(batch, split: .train, index: index, batchSize: batchSize)
      let vectors = start.looksAtInputs ? inputs(of: batch) : observed(in: batch)
      var sequences = result ?? TrainingSequences(size: vectors.size)
      for row in 0..<batch.rows {
        guard sequences.vectors.lengths.count < start.sequenceLimit else { return sequences }
        sequences.append(row, of: batch, vectors.values, size: vectors.size)
      }
      result = sequences
    }
    return result ?? TrainingSequences(size: 1)
  }

  /// What the cell sees, (rows, steps, size).
  private func inputs(of batch: Batch) -> (values: [Double], size: Int) {
    switch shape.input {
    case .features(let size):
      return (
        (0..<batch.rows).flatMap { row in
          (0..<batch.steps).flatMap { step in
            (0..<size).map { Double(batch.features[(step * batch.rows + row) * size + $0]) }
          }
        }, size
      )
    case .tokens(let vocabulary):
      let table = parameters.view(named: "embedding").map { parameters.doubles($0) }
      let size = table.map { $0.count / vocabulary } ?? vocabulary
      return (
        (0..<batch.rows).flatMap { row in
          (0..<batch.steps).flatMap { step -> [Double] in
            let token = Int(batch.tokens[step * batch.rows + row])
            if let table { return Array(table[token * size..<(token + 1) * size]) }
            return (0..<size).map { $0 == token ? 1 : 0 }
          }
        }, size
      )
    }
  }

  /// What the cell that is trained so far has marked, (rows, steps, size).
  private func observed(in batch: Batch) -> (values: [Double], size: Int) {
    let size = executor.plan.observedSize
    var values = [Double](repeating: 0, count: batch.rows * batch.steps * size)
    executor.batch.pointee.training = 0
    forEachTile(of: batch) { tile, rows in
      for row in rows {
        for step in 0..<batch.steps {
          for feature in 0..<size {
            values[(row * batch.steps + step) * size + feature] = executor.number(
              executor.plan.observed, step: step, feature: feature, lane: row - rows.lowerBound,
              tile: tile)
          }
        }
      }
    }
    return (values, size)
  }
}

extension TrainingSequences {
  /// Adds a row of a batch, up to its last answer that counts; `values` are (rows, steps, size).
  fileprivate mutating func append(_ row: Int, of batch: Batch, _ values: [Double], size: Int) {
    let isEvery = batch.shape.outputSteps == .every
    let counting = (0..<batch.answers).filter { batch.weights[$0 * batch.rows + row] > 0 }
    guard let last = counting.last else { return }
    let steps = isEvery ? last + 1 : batch.steps
    let first = vectors.count
    let start = row * batch.steps * size
    vectors.append(values[start..<start + steps * size])
    for answer in counting {
      answers.append(
        Answer(
          vector: first + (isEvery ? answer : steps - 1),
          targets: Self.targets(batch, answer * batch.rows + row)))
    }
  }

  private static func targets(_ batch: Batch, _ answer: Int) -> [(output: Int, value: Double)] {
    guard batch.shape.loss != .softmaxCrossEntropy else {
      return [(Int(batch.classes[answer]), 1)]
    }
    let size = batch.shape.outputSize
    return (0..<size).compactMap { output in
      let value = Double(batch.targets[answer * size + output])
      return value == 0 ? nil : (output, value)
    }
  }
}

extension Network {
  /// Bytes that computing weights from training sequences takes for a moment, at most.
  func dataStartBytes(task: any SequenceTask, batchSize: Int) -> Int {
    guard let dataStart else { return 0 }
    let all = task.evaluationBatchCount(.train, batchSize: batchSize) * batchSize
    let sequences = min(all, dataStart.sequenceLimit)
    let count = sequences * shape.maximumSteps
    let size =
      switch shape.input {
      case _ where !dataStart.looksAtInputs: executor.plan.observedSize
      case .features(let size): size
      case .tokens(let vocabulary): parameters.view(named: "embedding")?.shape[1] ?? vocabulary
      }
    let vectors = (count + batchSize * shape.maximumSteps) * size * MemoryLayout<Double>.stride
    return vectors + Batch.byteCount(shape: shape, maximumRows: batchSize)
      + LinearAutoencoder.fittingBytes(
        count: count, inputSize: size, memorySize: dataStart.memorySize)
  }
}
