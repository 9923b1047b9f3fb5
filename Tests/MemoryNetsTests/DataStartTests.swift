import Foundation
import MemoryNets
import Testing

/// Weights that are computed from training sequences.
@Suite struct DataStartTests {
  private static let identity = "0123456789abcdef0123456789abcdef"

  private static func adding(scale: Float = 1, continues: Bool = false) throws -> any SequenceTask {
    var options = AddingOptions()
    (options.length, options.data) = (6, .fixed)
    (options.trainSize, options.validationSize, options.testSize) = (120, 25, 17)
    guard let kind = TaskRegistry.kind(named: "adding") else { throw OptionProblem("kind", "") }
    let task = try kind.make(options, PhiloxKey(5), DataFolder(path: nil))
    return scale == 1 && !continues ? task : ChangedTask(task, scale, continues)
  }

  /// A task with other inputs, or whose batches continue those before.
  private final class ChangedTask: SequenceTask {
    let task: any SequenceTask
    let scale: Float
    let shape: TaskShape
    var baselines: [TrivialBaseline] { task.baselines }
    var dataDigest: String { task.dataDigest }

    init(_ task: any SequenceTask, _ scale: Float, _ continues: Bool) {
      self.task = task
      self.scale = scale
      var shape = task.shape
      shape.carriesState = continues
      self.shape = shape
    }

    func fillTraining(_ batch: Batch, update: Int, batchSize: Int) {
      task.fillTraining(batch, update: update, batchSize: batchSize)
      batch.firstStep = shape.carriesState ? update % 4 * batch.steps : 0
      for i in 0..<batch.features.count { batch.features[i] *= scale }
    }

    func evaluationBatchCount(_ split: DataSplit, batchSize: Int) -> Int {
      task.evaluationBatchCount(split, batchSize: batchSize)
    }

    func fillEvaluation(_ batch: Batch, split: DataSplit, index: Int, batchSize: Int) {
      task.fillEvaluation(batch, split: split, index: index, batchSize: batchSize)
      for i in 0..<batch.features.count { batch.features[i] *= scale }
    }
  }

  private static func network(
    _ cell: String, _ options: OptionDictionary, _ task: any SequenceTask, readout: Int = 0,
    batchSize: Int = 40
  ) throws -> Network {
    var model = ModelOptions()
    model.cell = cell
    model.precision = .double
    model.readoutSize = readout
    guard let kind = CellRegistry.kind(named: cell) else { throw OptionProblem("cell", cell) }
    return try Network(
      model: model, cell: kind.make(try decodeAnyOptions(kind.defaults, from: options)),
      shape: task.shape, batchSize: batchSize, initializationKey: PhiloxKey(2))
  }

  /// The losses of the training sequences, each by itself.
  private static func losses(_ network: Network, _ task: any SequenceTask) -> [Double] {
    let batch = Batch(shape: task.shape, maximumRows: 1)
    return (0..<task.evaluationBatchCount(.train, batchSize: 1)).map { index in
      task.fillEvaluation(batch, split: .train, index: index, batchSize: 1)
      return network.evaluate(batch).loss
    }
  }

  private static func hiddenStates(_ more: OptionDictionary = [:]) -> OptionDictionary {
    [
      "initialization": .string("hidden_states"), "hidden_size": .integer(4),
      "memory_size": .integer(24), "window": .integer(4), "pretrain_steps": .integer(7),
    ].merging(more) { $1 }
  }

  /// A memory of as many features as there are numbers in six hidden states loses nothing.
  @Test(arguments: ["memory", "hidden"], [0, 5])
  func aMemoryThatLosesNothingReproducesTheUnrolledNet(read: String, readout: Int) throws {
    let task = try Self.adding()
    let network = try Self.network(
      "lmn", Self.hiddenStates(["read": .string(read)]), task, readout: readout)
    let unrolled = Self.losses(network, task)
    #expect(!network.prepare(for: 6, of: task, batchSize: 40))
    #expect(network.prepare(for: 7, of: task, batchSize: 40))
    let linear = Self.losses(network, task)
    #expect(Set(unrolled).count > 100)
    for (a, b) in zip(unrolled, linear) { #expect(abs(a - b) < 1e-12, "\(a), \(b)") }
  }

  @Test func theNetThatIsTrainedFirstIsNotCounted() throws {
    let task = try Self.adding()
    let network = try Self.network("lmn", Self.hiddenStates(), task)
    let plain = try Self.network(
      "lmn", Self.hiddenStates(["initialization": .string("drawn")]), task)
    #expect(network.parameterCount == plain.parameterCount)
    #expect(plain.parameterCount == plain.parameters.count)
    #expect(network.parameters.count > plain.parameters.count)
    #expect(network.stateSize == 24)
  }

  /// With inputs so small that tanh is the identity, the gradient of the mean squared error vanishes at
  /// the least squares of the states.
  @Test(arguments: ["lmn", "elman"])
  func theInputStartIsALeastSquaresReadoutOfALinearMemory(cell: String) throws {
    let task = try Self.adding(scale: 1e-3)
    let options: OptionDictionary = [
      "initialization": .string("inputs"), "hidden_size": .integer(12),
    ]
    let network = try Self.network(cell, options, task, batchSize: 120)
    let batch = Batch(shape: task.shape, maximumRows: 120)
    task.fillEvaluation(batch, split: .train, index: 0, batchSize: 120)
    func gradient() throws -> Double {
      _ = network.train(batch, update: 0, noiseKey: PhiloxKey(0))
      let view = try #require(network.parameters.view(named: "readout.W"))
      return network.parameters.doubles(view, gradient: true).map(abs).max() ?? .nan
    }
    let before = network.evaluate(batch).loss
    #expect(try gradient() > 1e-5)
    #expect(network.prepare(for: 0, of: task, batchSize: 120))
    #expect(try gradient() < 1e-9)
    #expect(network.evaluate(batch).loss < before)
    let recurrent = try #require(
      network.parameters.view(named: cell == "lmn" ? "layer0.W_mm" : "layer0.W_h"))
    let rows = network.parameters.doubles(recurrent)
    let norms = (0..<12).map { row in rows[row * 12..<(row + 1) * 12].reduce(0) { $0 + $1 * $1 } }
    #expect(norms.allSatisfy { $0 <= 1 + 1e-9 })
    #expect((norms.max() ?? 0) > 0.1)
  }

  private static let incremental: OptionDictionary = [
    "initialization": .string("incremental"), "hidden_size": .integer(6),
    "module_size": .integer(3), "modules": .integer(3), "grow_every": .integer(4),
  ]

  /// What has no module yet stands still, whatever the optimiser, and a new module changes nothing.
  @Test func aNewModuleLeavesTheFunctionUnchanged() throws {
    let task = try Self.adding()
    let network = try Self.network("ms_lmn", Self.incremental, task)
    var options = TrainOptions()
    (options.steps, options.batchSize, options.weightDecay) = (8, 40, 0.1)
    let trainer = Trainer(
      model: network, task: task, options: options, goal: TrainingGoal(), noiseKey: PhiloxKey(1))
    func module(_ index: Int) throws -> [Double] {
      let view = try #require(network.parameters.view(named: "layer0.W_hm"))
      return Array(network.parameters.doubles(view)[index * 18..<(index + 1) * 18])
    }
    for _ in 0..<4 { try trainer.advance() }
    #expect(try module(0).contains { $0 != 0 })
    #expect(try module(1).allSatisfy { $0 == 0 })
    let before = Self.losses(network, task)
    #expect(network.prepare(for: 4, of: task, batchSize: 40))
    #expect(try module(1).contains { $0 != 0 })
    #expect(try module(2).allSatisfy { $0 == 0 })
    #expect(Self.losses(network, task) == before)
    #expect(!network.prepare(for: 12, of: task, batchSize: 40))
  }

  /// Interrupted between any two calls of `advance` and resumed from the file's bytes.
  @Test(arguments: [
    ("lmn", hiddenStates(), false), ("lmn", hiddenStates(), true),
    ("ms_lmn", incremental, false), ("ms_lmn", incremental, true),
    ("lmn", ["initialization": .string("inputs"), "hidden_size": .integer(5)], false),
  ])
  func interruptedAnywhereAndResumedGivesTheSameBits(
    cell: String, options: OptionDictionary, continues: Bool
  ) throws {
    let task = try Self.adding(continues: continues)
    var train = TrainOptions()
    (train.steps, train.batchSize, train.evaluateEvery) = (15, 40, 3)
    (train.earlyStopPatience, train.clipNorm) = (9, 1)
    func trainer() throws -> Trainer {
      Trainer(
        model: try Self.network(cell, options, task), task: task, options: train,
        goal: TrainingGoal(), noiseKey: PhiloxKey(1))
    }
    let whole = try trainer()
    var states: [[UInt8]] = []
    while whole.end == nil {
      states.append(whole.checkpoint(identity: Self.identity).encoded())
      try whole.advance()
    }
    #expect(states.count > 20)
    let final = whole.weightsCheckpoint(identity: Self.identity).encoded()
    for (index, state) in states.enumerated() {
      let resumed = try trainer()
      try resumed.restore(Checkpoint(decoding: state, path: "state"), path: "state")
      while resumed.end == nil { try resumed.advance() }
      #expect(resumed.history == whole.history, "interrupted at \(index)")
      #expect(resumed.weightsCheckpoint(identity: Self.identity).encoded() == final)
    }
  }

  /// What is computed of the model's parameters, here a table over the tokens, has its gradient apart.
  @Test func theModelLeavesTheNetThatIsTrainedFirstAlone() throws {
    let shape = TaskShape(
      input: .tokens(vocabulary: 5), outputSize: 3, loss: .softmaxCrossEntropy,
      outputSteps: .every, maximumSteps: 9)
    let kind = try #require(CellRegistry.kind(named: "lmn"))
    let network = try Network(
      model: ModelOptions(),
      cell: kind.make(try decodeAnyOptions(kind.defaults, from: Self.hiddenStates())),
      shape: shape, batchSize: 8, initializationKey: PhiloxKey(2))
    let batch = Batch(shape: shape, maximumRows: 8)
    batch.resize(rows: 8, steps: 9)
    for i in 0..<72 {
      (batch.tokens[i], batch.classes[i], batch.weights[i]) = (Int32(i * i % 5), Int32(i % 3), 1)
    }
    network.resume(after: 20)
    _ = network.train(batch, update: 20, noiseKey: PhiloxKey(1))
    for view in network.parameters.views {
      let gradient = network.parameters.doubles(view, gradient: true)
      let isOwn = !view.name.hasPrefix("forerunner.")
      #expect(gradient.contains { $0 != 0 } == isOwn, "\(view.name)")
    }
  }

  /// Evaluations of another net are neither its best nor reach its target.
  @Test func whatIsTrainedFirstDoesNotCount() throws {
    let task = try Self.adding()
    var train = TrainOptions()
    (train.steps, train.batchSize, train.evaluateEvery, train.earlyStopPatience) = (15, 40, 1, 2)
    let trainer = Trainer(
      model: try Self.network("lmn", Self.hiddenStates(), task), task: task, options: train,
      goal: TrainingGoal(metric: "validation.loss", isMaximized: true, target: 0),
      noiseKey: PhiloxKey(1))
    while trainer.end == nil { try trainer.advance() }
    #expect(trainer.history.contains { $0.step == 7 })
    #expect(trainer.stepsToTarget == 8)
    #expect((trainer.bestCheckpoint(identity: Self.identity)?.step ?? 0) >= 8)
  }

  @Test func startsThatDoNotFitAreRefused() throws {
    var memory = LinearMemoryNetwork.Options()
    memory.initialization = .inputs
    memory.read = .hidden
    memory.window = 1
    #expect(memory.validate().map(\.option) == ["window", "initialization"])
    var elman = Elman.Options()
    (elman.initialization, elman.activation) = (.inputs, .relu)
    #expect(elman.validate().map(\.option) == ["initialization"])
    var model = ModelOptions()
    model.layers = 2
    let shape = TaskShape(
      input: .features(size: 2), outputSize: 1, loss: .squaredError, outputSteps: .every,
      maximumSteps: 4)
    let problems = RecurrentModel(
      options: model, cell: LinearMemoryNetwork(options: memory), shape: shape
    ).validate()
    #expect(problems.map(\.option) == ["initialization"])
  }
}
