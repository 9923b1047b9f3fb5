import MemoryNets
import Testing

/// Tables of embeddings of which a batch touches some rows.
@Suite struct TouchedRowsTests {
  private static let vocabulary = 90
  private static let shape = TaskShape(
    input: .tokens(vocabulary: vocabulary), outputSize: 4, loss: .softmaxCrossEntropy,
    outputSteps: .every, maximumSteps: 3)

  private static func network() throws -> Network {
    var model = ModelOptions()
    model.precision = .double
    model.embeddingSize = 5
    var options = LSTM.Options()
    options.hiddenSize = 6
    return try Network(
      model: model, cell: LSTM(options: options), shape: shape, batchSize: 10,
      initializationKey: PhiloxKey(1))
  }

  private static func batch(_ salt: UInt64) -> Batch {
    let batch = Batch(shape: shape, maximumRows: 10)
    batch.resize(rows: 10, steps: 3)
    var random = PhiloxStream(key: PhiloxKey(7), stream: salt)
    for i in 0..<30 {
      batch.tokens[i] = Int32(random.integer(below: vocabulary))
      batch.classes[i] = Int32(random.integer(below: 4))
      batch.weights[i] = 1
    }
    return batch
  }

  @Test func theGradientOfABatchHasNothingOfTheOneBefore() throws {
    let (used, fresh) = (try Self.network(), try Self.network())
    _ = used.train(Self.batch(1), update: 0, noiseKey: PhiloxKey(1))
    _ = used.train(Self.batch(2), update: 0, noiseKey: PhiloxKey(1))
    _ = fresh.train(Self.batch(2), update: 0, noiseKey: PhiloxKey(1))
    for view in used.parameters.views {
      #expect(
        used.parameters.doubles(view, gradient: true)
          == fresh.parameters.doubles(view, gradient: true))
    }
    let table = try #require(used.parameters.view(named: "embedding"))
    let touched = used.parameters.doubles(table, gradient: true).count { $0 != 0 }
    #expect(touched > 0 && touched < table.count / 2)
  }

  private static let optimizers: [TrainOptions] = {
    var plain = TrainOptions()
    plain.optimizer = .sgd
    plain.learningRate = 0.5
    var clipped = plain
    clipped.clipValue = 1e-3
    var decaying = plain
    decaying.weightDecay = 0.01
    var momentum = plain
    momentum.momentum = 0.9
    var adam = TrainOptions()
    adam.learningRate = 0.01
    adam.clipNorm = 1e-2
    return [plain, clipped, decaying, momentum, adam]
  }()

  /// As with a gradient that is stored and used in full.
  @Test(arguments: optimizers) func updatesAreThoseOfTheWholeTable(options: TrainOptions) throws {
    let network = try Self.network()
    let parameters = network.parameters
    let whole = ParameterStore(precision: .double, views: parameters.views)
    let bytes = parameters.count * 8
    whole.values.copyMemory(from: parameters.values, byteCount: bytes)
    let optimizer = Optimizer(options, parameters: parameters, kernels: network.kernels)
    let expected = Optimizer(options, parameters: whole, kernels: network.kernels)
    for update in 0..<3 {
      _ = network.train(Self.batch(UInt64(update)), update: update, noiseKey: PhiloxKey(1))
      whole.gradients.copyMemory(from: parameters.gradients, byteCount: bytes)
      let norm = optimizer.update(learningRate: options.learningRate)
      let all = expected.update(learningRate: options.learningRate)
      #expect(abs(norm - all) <= 1e-14 * all)
      for view in parameters.views {
        let (found, wanted) = (parameters.doubles(view), whole.doubles(view))
        #expect(largestDifference(found, wanted) <= 1e-13, "\(view.name)")
      }
    }
  }
}
