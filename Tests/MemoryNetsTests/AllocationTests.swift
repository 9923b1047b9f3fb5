import MemoryNets
import TestSupport
import Testing

@Suite(.enabled(if: Allocations.areCounted, "\(Allocations.skipReason)"))
struct AllocationTests {
  private static let shapes: [TaskShape] = [
    TaskShape(
      input: .tokens(vocabulary: 37), outputSize: 37, loss: .softmaxCrossEntropy,
      outputSteps: .last, maximumSteps: 9),
    TaskShape(
      input: .features(size: 5), outputSize: 5, loss: .sigmoidCrossEntropy, outputSteps: .every,
      maximumSteps: 6, carriesState: true),
  ]

  private static func network(
    _ cell: String, _ shape: TaskShape, _ precision: Precision, rows: Int
  ) throws -> Network {
    let kind = try #require(CellRegistry.kind(named: cell))
    var model = ModelOptions()
    model.precision = precision
    model.dropout = 0.1
    if case .tokens = shape.input { model.embeddingSize = 7 }
    var options: OptionDictionary = ["hidden_size": .integer(11)]
    if shape.carriesState {
      let names = OptionSchema(defaults: kind.defaults).names
      for limit in ["depth_limit", "window"] where names.contains(limit) {
        options[limit] = .integer(3)
      }
    }
    return try Network(
      model: model, cell: kind.make(try decodeOptions(kind.defaults, from: options)),
      shape: shape, batchSize: rows, initializationKey: PhiloxKey(1))
  }

  @Test(arguments: CellRegistry.all.map(\.name), shapes)
  func nothingIsAllocatedAfterTheFirstBatch(cell: String, shape: TaskShape) throws {
    // A stack without a limit is not for streams.
    guard cell != "stratified_stack" || !shape.carriesState else { return }
    for precision in Precision.allCases {
      for kind in OptimizerKind.allCases {
        let network = try Self.network(cell, shape, precision, rows: 21)
        var options = TrainOptions()
        options.optimizer = kind
        options.clipNorm = 1
        options.clipValue = 0.5
        let optimizer = Optimizer(
          options, parameters: network.parameters, kernels: network.kernels)
        let batch = Batch(shape: shape, maximumRows: 21)
        func update(_ number: Int) {
          // As evaluations do, with fewer rows and steps.
          batch.resize(rows: 21 - number, steps: shape.maximumSteps - number)
          batch.weights.update(repeating: 1)
          _ = network.train(batch, update: number, noiseKey: PhiloxKey(2))
          _ = optimizer.update(learningRate: 1e-3)
          _ = network.evaluate(batch)
        }
        update(0)
        let counted = Allocations.during { for number in 1..<4 { update(number) } }
        #expect(counted.count == 0, "\(precision), \(kind)")
      }
    }
  }

  /// As a trial does it: ten thousand updates with evaluations and checkpoints.
  @Test func aTrainingHoldsNoMoreAfterTenThousandUpdates() throws {
    let task = GeneratedTask(
      AssociativeRetrieval(layout: .art, pairs: 1),
      sizes: GeneratedSizes(data: .fixed, train: 640, validation: 40, test: 16),
      key: PhiloxKey(3))
    let network = try Self.network("fw_lstm", task.shape, .float, rows: 16)
    var options = TrainOptions()
    options.batchSize = 16
    options.steps = 10_100
    options.evaluateEvery = 500
    let trainer = Trainer(
      model: network, task: task, options: options, goal: TrainingGoal(),
      noiseKey: PhiloxKey(4))
    let root = try TemporaryFolder()
    let folder = CheckpointFolder(root: root.path, identity: CheckpointTests.identity)
    var warm: (held: Int, points: Int) = (0, 0)
    let after = try Allocations.during {
      var saved = 0
      while trainer.step < 10_000 {
        try trainer.advance()
        guard trainer.step >= saved + 700 else { continue }
        saved = trainer.step
        try folder.save(trainer.checkpoint(identity: folder.identity))
        if warm.points == 0 { warm = (Allocations.soFar.bytes, trainer.history.count) }
      }
    }
    // What does grow is the history: numbers with their names, in an array that doubles.
    let history =
      (trainer.history.count - warm.points) * 2 * (MemoryLayout<TrainingPoint>.size + 64)
    #expect(trainer.history.count == 76)
    #expect(after.bytes - warm.held <= history)
  }

  /// Two megabytes at a time, however large the weights are.
  @Test func savingTakesLittleMemory() throws {
    let checkpoint = CheckpointTests.checkpoint(count: 3_000_000)
    let root = try TemporaryFolder()
    let folder = CheckpointFolder(root: root.path, identity: CheckpointTests.identity)
    let saving = try Allocations.during { try folder.save(checkpoint) }
    #expect(saving.peak < 2_500_000)
    #expect(saving.bytes < 100_000)
  }
}
