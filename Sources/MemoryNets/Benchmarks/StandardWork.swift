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

  /// A language model: layers of LSTM between an embedding and a softmax over `vocabulary` words at
  /// every step, gradient descent, norms clipped to 5.
  package static func language(
    hidden: Int, layers: Int, unroll: Int, batch: Int, vocabulary: Int,
    execution: ExecutionOptions = ExecutionOptions()
  ) throws -> TrainingBenchmark {
    var model = ModelOptions()
    model.layers = layers
    model.embeddingSize = hidden
    var train = TrainOptions()
    train.optimizer = .sgd
    train.learningRate = 1
    train.clipNorm = 5
    train.batchSize = batch
    let shape = TaskShape(
      input: .tokens(vocabulary: vocabulary), outputSize: vocabulary, loss: .softmaxCrossEntropy,
      outputSteps: .every, maximumSteps: unroll, carriesState: true)
    var cell = LSTM.Options()
    cell.hiddenSize = hidden
    return try TrainingBenchmark(
      model: model, cell: LSTM(options: cell), shape: shape, batchSize: batch, train: train,
      execution: execution)
  }
}
