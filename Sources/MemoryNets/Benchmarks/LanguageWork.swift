/// A language model to be timed: layers of LSTM between an embedding and a softmax over all words at
/// every step, gradient descent, norms clipped to 5.
package struct LanguageWork {
  /// Units of each layer and of the embedding.
  package let hidden: Int
  package let layers: Int
  /// Steps of a batch.
  package let unroll: Int
  /// Sequences of a batch, over all ranks.
  package let batch: Int
  /// Words.
  package let vocabulary: Int

  package init(hidden: Int, layers: Int, unroll: Int, batch: Int, vocabulary: Int) {
    self.hidden = hidden
    self.layers = layers
    self.unroll = unroll
    self.batch = batch
    self.vocabulary = vocabulary
  }

  private var shape: TaskShape {
    TaskShape(
      input: .tokens(vocabulary: vocabulary), outputSize: vocabulary, loss: .softmaxCrossEntropy,
      outputSteps: .every, maximumSteps: unroll, carriesState: true)
  }

  private var model: ModelOptions {
    var model = ModelOptions()
    model.layers = layers
    model.embeddingSize = hidden
    return model
  }

  private var cell: LSTM {
    var options = LSTM.Options()
    options.hiddenSize = hidden
    return LSTM(options: options)
  }

  /// What a rank of a team shares.
  package func teamBytes(shards: Int, ranks: Int) -> TeamBytes {
    Network.teamBytes(
      model: model, cell: cell, shape: shape, trainingRows: batch, shards: shards, ranks: ranks)
  }

  /// With `sharding`, this rank's share of the work; the team must have room for `teamBytes`.
  package func benchmark(
    execution: ExecutionOptions = ExecutionOptions(), sharding: Sharding? = nil
  ) throws -> TrainingBenchmark {
    var train = TrainOptions()
    train.optimizer = .sgd
    train.learningRate = 1
    train.clipNorm = 5
    train.batchSize = batch
    return try TrainingBenchmark(
      model: model, cell: cell, shape: shape, batchSize: batch, train: train, execution: execution,
      sharding: sharding)
  }
}
