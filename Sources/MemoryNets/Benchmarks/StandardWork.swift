/// The pieces of work that are timed: those that other programs are timed with, too.
package enum StandardWork {
  /// Associative retrieval: 2 pairs + 3 steps of 37 tokens.
  package static func retrievalShape(pairs: Int) -> TaskShape {
    TaskShape(
      input: .tokens(vocabulary: 37), outputSize: 37, loss: .softmaxCrossEntropy,
      outputSteps: .last, maximumSteps: 2 * pairs + 3)
  }

  /// A cell on fixed random sequences: an embedding of tokens, a read-out of 100 units, Adam, norms
  /// clipped to 5.
  package static func training(
    cell: CellKind, hidden: Int, embedding: Int, shape: TaskShape, batch: Int,
    precision: Precision = .float, execution: ExecutionOptions = ExecutionOptions()
  ) throws -> TrainingBenchmark {
    var model = ModelOptions()
    model.cell = cell.name
    if case .tokens = shape.input { model.embeddingSize = embedding }
    model.readoutSize = 100
    model.precision = precision
    var train = TrainOptions()
    train.clipNorm = 5
    train.batchSize = batch
    let options = try decodeOptions(cell.defaults, from: ["hidden_size": .integer(hidden)])
    return try TrainingBenchmark(
      model: model, cell: cell.make(options), shape: shape, batchSize: batch, train: train,
      execution: execution)
  }
}
