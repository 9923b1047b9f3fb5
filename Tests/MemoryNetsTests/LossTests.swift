import MemoryNets
import Testing

/// The losses of numbers: they differ by a factor, and signs are counted.
@Suite struct LossTests {
  private func trained(_ loss: TaskShape.Loss) throws -> (LossStatistics, [Double]) {
    let shape = TaskShape(
      input: .features(size: 2), outputSize: 4, loss: loss, outputSteps: .every, maximumSteps: 3)
    let kind = try #require(CellRegistry.kind(named: "elman"))
    var model = ModelOptions()
    model.precision = .double
    let network = try Network(
      model: model, cell: kind.make(kind.defaults), shape: shape, batchSize: 5,
      initializationKey: PhiloxKey(1))
    let batch = Batch(shape: shape, maximumRows: 5)
    batch.resize(rows: 5, steps: 3)
    var draws = PhiloxStream(key: PhiloxKey(2), stream: 0)
    for i in batch.features.indices { batch.features[i] = Float(draws.uniform() - 0.5) }
    for i in batch.targets.indices { batch.targets[i] = draws.integer(below: 2) == 0 ? -1 : 1 }
    for i in batch.weights.indices { batch.weights[i] = i % 3 == 0 ? 0 : 1 }
    let statistics = network.train(batch, update: 0, noiseKey: PhiloxKey(3))
    let weights = try #require(network.parameters.view(named: "readout.W"))
    return (statistics, network.parameters.doubles(weights, gradient: true))
  }

  @Test(arguments: [
    (TaskShape.Loss.halfSquaredError, 0.5), (.meanSquaredError, 0.25), (.squaredErrorOfSigns, 0.25),
  ])
  func lossAndGradientAreThatOfTheSumTimesAFactor(loss: TaskShape.Loss, factor: Double) throws {
    let (sum, gradient) = try trained(.squaredError)
    let (scaled, scaledGradient) = try trained(loss)
    #expect(sum.loss > 0 && sum.weight == 10 && scaled.weight == 10)
    #expect(abs(scaled.loss - factor * sum.loss) < 1e-12)
    for (a, b) in zip(gradient, scaledGradient) { #expect(abs(factor * a - b) < 1e-12) }
    #expect(gradient.contains { abs($0) > 1e-3 })
  }

  @Test func theAccuracyOfSignsIsThePartThatIsRight() throws {
    let (statistics, _) = try trained(.squaredErrorOfSigns)
    let metrics = Metrics.metrics(of: statistics, loss: .squaredErrorOfSigns)
    #expect(metrics.map(\.name) == ["loss", "accuracy"])
    // Quarters of ten answers; the net is untrained.
    let quarters = metrics[1].value * 40
    #expect(abs(quarters - quarters.rounded()) < 1e-9 && 5...35 ~= quarters)
  }
}
