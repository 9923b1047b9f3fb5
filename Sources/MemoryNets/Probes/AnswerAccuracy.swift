/// How often answers are right, by their place in a sequence.
package struct AnswerAccuracy: Hashable, Codable, Sendable {
  /// By number of the answer that counts, the first one first.
  package let byPosition: [Double]
  /// The part of sequences all of whose answers are right.
  package let ofWholeSequences: Double

  /// Over the test sequences of `task`, at most `samples`; nil where answers are no classes, or one a
  /// sequence.
  init?(_ reader: StateReader, _ task: any SequenceTask, samples: Int) {
    guard task.shape.loss == .softmaxCrossEntropy, task.shape.outputSteps == .every,
      !task.shape.carriesState
    else { return nil }
    let batch = Batch(shape: task.shape, maximumRows: StateReader.rows)
    var (sequences, whole) = (0, 0)
    var counts: [(right: Int, all: Int)] = []
    for index in 0..<task.evaluationBatchCount(.test, batchSize: StateReader.rows)
    where sequences < samples {
      task.fillEvaluation(batch, split: .test, index: index, batchSize: StateReader.rows)
      reader.run(batch)
      for row in 0..<batch.rows {
        var (position, isWhole) = (0, true)
        for step in 0..<batch.steps where batch.weights[step * batch.rows + row] > 0 {
          let isRight =
            reader.answer(row: row, step: step) == Int(batch.classes[step * batch.rows + row])
          if position == counts.count { counts.append((0, 0)) }
          counts[position].all += 1
          counts[position].right += isRight ? 1 : 0
          isWhole = isWhole && isRight
          position += 1
        }
        sequences += 1
        whole += isWhole ? 1 : 0
      }
    }
    guard sequences > 0, counts.count > 1 else { return nil }
    byPosition = counts.map { Double($0.right) / Double($0.all) }
    ofWholeSequences = Double(whole) / Double(sequences)
  }
}
