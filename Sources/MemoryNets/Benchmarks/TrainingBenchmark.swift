import CKernels

/// A trial's work on one fixed batch, to be timed: forward, backward, clip and update.
package final class TrainingBenchmark {
  package let network: Network
  package let batch: Batch
  /// The network, or the whole of it where it is cut into shards.
  private let model: any TrainableModel
  private let optimizer: Optimizer
  private let learningRate: Double
  private var updates = 0

  package init(
    model: ModelOptions, cell: any RecurrentCell, shape: TaskShape, batchSize: Int,
    train: TrainOptions, execution: ExecutionOptions, sharding: Sharding? = nil
  ) throws(OptionProblem) {
    network = try Network(
      model: model, cell: cell, shape: shape, batchSize: batchSize,
      initializationKey: PhiloxKey(1), execution: execution, sharding: sharding)
    self.model = sharding == nil ? network : ShardedNetwork(network, batchSize: batchSize)
    optimizer = Optimizer(train, parameters: network.parameters, kernels: network.kernels)
    learningRate = train.learningRate
    batch = Batch(shape: shape, maximumRows: batchSize)
    batch.resize(rows: batchSize, steps: shape.maximumSteps)
    var random = PhiloxStream(key: PhiloxKey(2), stream: 0)
    if case .tokens(let vocabulary) = shape.input {
      for i in batch.tokens.indices { batch.tokens[i] = Int32(random.integer(below: vocabulary)) }
    }
    for i in batch.features.indices { batch.features[i] = Float(random.normal()) }
    for i in batch.classes.indices {
      batch.classes[i] = Int32(random.integer(below: shape.outputSize))
    }
    for i in batch.targets.indices { batch.targets[i] = Float(random.integer(below: 2)) }
    for i in batch.weights.indices { batch.weights[i] = 1 }
  }

  /// One update.
  package func step() throws(TeamError) {
    _ = try model.train(batch, update: updates, noiseKey: PhiloxKey(3))
    _ = optimizer.update(learningRate: learningRate)
    updates += 1
  }

  /// Times updates; where the time goes is found out in separate ones afterwards.
  ///
  /// On all ranks of a team at once.
  package func measure(repetitions: Int) throws -> TrainingRate {
    for _ in 0..<5 { try step() }
    let heapBefore = ms_heap_bytes()
    for _ in 0..<repetitions { try step() }
    let heapGrowth = Int(ms_heap_bytes() - heapBefore)
    let timings = try Timings(repetitions: repetitions, warmUp: 0) { try step() }
    let update = Timings(repetitions: 10) { _ = optimizer.update(learningRate: learningRate) }
    let profiles = try (0..<15).map { _ in
      let profile = ExecutorProfile(network.executor.calls, steps: batch.steps)
      network.executor.profile = profile
      _ = try model.train(batch, update: 0, noiseKey: PhiloxKey(3))
      network.executor.profile = nil
      return profile
    }
    // The least, since what interrupts an update hits some group or other.
    var seconds: [KernelGroup: Double] = [:]
    for profile in profiles { seconds.merge(profile.seconds, uniquingKeysWith: min) }
    seconds[.optimizer, default: 0] += update.minimum
    let total = max(seconds.values.reduce(0, +), .leastNormalMagnitude)
    return TrainingRate(
      timings: timings, heapGrowth: heapGrowth, operations: 2 * profiles[0].multiplyAdds,
      peak: PeakRate.measured(network.kernels), shares: seconds.mapValues { $0 / total })
  }
}

/// What a `TrainingBenchmark` found.
package struct TrainingRate {
  /// Of one update.
  package let timings: Timings
  /// Bytes by which the heap grew over as many updates as were timed, after the first few.
  package let heapGrowth: Int
  /// Of products, their gradients and memories in one update, two for a multiply-add.
  package let operations: Double
  /// Operations a second.
  package let peak: Double
  /// By kernel group, adding up to 1.
  package let shares: [KernelGroup: Double]

  package var gigaflops: Double { operations / timings.median * 1e-9 }
  package var peakGigaflops: Double { peak * 1e-9 }
  package var percentOfPeak: Double { operations / timings.median / peak * 100 }
}
