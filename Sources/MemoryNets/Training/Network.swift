import CKernels

/// How a model is executed; part of the numeric contract of its results.
package struct ExecutionOptions: Hashable, Sendable {
  /// Passes that are switched off.
  package var disabledPasses: Set<PlanPass> = []
  package var instructionSet = InstructionSet.best
  package init() {}
}

/// A model compiled for a task's shape: parameters, arena and the list of kernel calls.
///
/// One for each trial. Nothing is allocated after it is made.
package final class Network {
  package let parameters: ParameterStore
  package let kernels: Kernels
  /// Numbers carried from step to step for each sequence.
  package let stateSize: Int
  package let parameterCount: Int
  let shape: TaskShape
  let dataStart: (any DataStart)?
  private let own: Executor
  /// Of what is trained first in the model's place.
  let forerunner: Executor?
  var runsForerunner: Bool
  var executor: Executor { runsForerunner ? forerunner ?? own : own }
  private let statistics: UnsafeMutablePointer<Double>
  private let trainingState: UnsafeMutableRawBufferPointer
  private let evaluationState: UnsafeMutableRawBufferPointer
  /// Some rows of a batch, where a plan with flat rows has room for fewer than the batch has.
  private let part: Batch?

  /// Makes the model with its initial weights, drawn under `initializationKey`.
  ///
  /// `batchSize` is the largest number of rows that a batch will have, `trainingRows` the largest of
  /// one that is trained on; by default the same.
  package init(
    model: ModelOptions, cell: any RecurrentCell, shape: TaskShape, batchSize: Int,
    trainingRows: Int? = nil, initializationKey: PhiloxKey,
    execution: ExecutionOptions = ExecutionOptions()
  ) throws(OptionProblem) {
    let model = RecurrentModel(options: model, cell: cell, shape: shape)
    if let problem = model.validate().first { throw problem }
    var options = PlanOptions(
      maximumSteps: shape.maximumSteps, answersLastStepOnly: shape.outputSteps == .last)
    options.carriesState = shape.carriesState
    options.disabledPasses = execution.disabledPasses
    options.loss =
      switch shape.loss {
      case .softmaxCrossEntropy: \.softmax_loss
      case .sigmoidCrossEntropy: \.sigmoid_loss
      case .squaredError, .halfSquaredError, .meanSquaredError, .squaredErrorOfSigns: \.squared_loss
      }
    options.lossFactor =
      switch shape.loss {
      case .halfSquaredError: 0.5
      case .meanSquaredError, .squaredErrorOfSigns: 1 / Double(shape.outputSize)
      default: 1
      }
    options.maximumTrainingSteps = shape.maximumTrainingSteps
    options.maximumRows = trainingRows ?? batchSize
    let graph = model.recorded()
    let plan = PlanBuilder.plan(graph, options)
    let forerunnerPlan = model.recordedForerunner().map { PlanBuilder.plan($0, options) }
    let store = ParameterStore(
      forerunnerPlan?.parameters ?? plan.parameters, precision: model.options.precision,
      key: initializationKey)
    parameters = store
    parameterCount = graph.parameterCount
    parameters.keepTouchedRows(of: plan.lookupTables)
    kernels = Kernels(execution.instructionSet, model.options.precision)
    let compiled = { (plan: Plan) in
      Executor(plan: plan, parameters: store, instructionSet: execution.instructionSet)
    }
    own = compiled(plan)
    forerunner = forerunnerPlan.map(compiled)
    dataStart = cell.dataStart
    runsForerunner = forerunner != nil
    stateSize = plan.stateSize
    self.shape = shape
    statistics = .allocate(capacity: 7)
    part =
      (plan.isFlat || forerunnerPlan?.isFlat == true) && batchSize > options.maximumRows
      ? Batch(shape: shape, maximumRows: options.maximumRows) : nil
    func parts(of size: Int) -> Int { (batchSize + size - 1) / size }
    let tiles =
      part.map { parts(of: $0.maximumRows) * $0.tiles } ?? parts(of: Int(MS_LANES))
    let carriedBytes = max(own.carriedBytes, forerunner?.carriedBytes ?? 0)
    let stateBytes = shape.carriesState ? tiles * carriedBytes : 0
    trainingState = .allocate(byteCount: stateBytes, alignment: 64)
    evaluationState = .allocate(byteCount: stateBytes, alignment: 64)
    trainingState.initializeMemory(as: UInt8.self, repeating: 0)
    evaluationState.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit {
    statistics.deallocate()
    trainingState.deallocate()
    evaluationState.deallocate()
  }

  /// Bytes of activations, gradients and caches.
  package var arenaBytes: Int { own.arenaBytes + (forerunner?.arenaBytes ?? 0) }

  /// Bytes of the kernel calls.
  var callBytes: Int { own.callBytes + (forerunner?.callBytes ?? 0) }

  /// Bytes of the batch that holds a part of a larger one.
  var partBytes: Int {
    part.map { Batch.byteCount(shape: shape, maximumRows: $0.maximumRows) } ?? 0
  }

  /// The state carried over between batches that continue each other, as one flat buffer to be
  /// saved with a checkpoint; empty for tasks whose batches never do.
  package var carriedState: UnsafeMutableRawBufferPointer { trainingState }

  /// Forward and backward over `batch`.
  ///
  /// Overwrites `parameters.gradients` with the gradient of the weighted mean loss. `update` and
  /// `noiseKey` determine dropout masks.
  package func train(_ batch: Batch, update: Int, noiseKey: PhiloxKey) -> LossStatistics {
    parameters.clearGradients(
      tokens: .init(rebasing: batch.tokens.prefix(batch.steps * batch.rows)))
    executor.batch.pointee.training = 1
    executor.batch.pointee.update = UInt64(update)
    executor.batch.pointee.random_key = (noiseKey.low, noiseKey.high)
    return run(batch, state: trainingState, backward: true)
  }

  /// Forward over `batch` without dropout.
  package func evaluate(_ batch: Batch) -> LossStatistics {
    executor.batch.pointee.training = 0
    return run(batch, state: evaluationState, backward: false)
  }

  private func run(
    _ batch: Batch, state: UnsafeMutableRawBufferPointer, backward: Bool
  ) -> LossStatistics {
    let denormals = ms_flush_denormals()
    defer { ms_restore_denormals(denormals) }
    statistics.update(repeating: 0, count: 7)
    let divisor = shape.lossMean == .sequences ? Double(batch.rows) : batch.totalWeight
    take(batch, lossScale: 1 / max(divisor, .leastNormalMagnitude))
    executor.startBatch(trains: backward)
    if let part, batch.rows > part.maximumRows {
      var tile = 0
      for first in stride(from: 0, to: batch.rows, by: part.maximumRows) {
        part.copyRows(first..<min(first + part.maximumRows, batch.rows), of: batch)
        take(part, lossScale: executor.batch.pointee.loss_scale)
        runTiles(part, state: state, firstTile: tile, backward: backward)
        tile += part.tiles
      }
    } else {
      runTiles(batch, state: state, firstTile: 0, backward: backward)
    }
    if backward { executor.endGradient() }
    return LossStatistics(
      loss: statistics[0], weight: statistics[1], correct: statistics[2],
      truePositives: statistics[3], falsePositives: statistics[4], falseNegatives: statistics[5],
      silentAnswers: statistics[6], bound: batch.bound)
  }

  /// Tells the kernels of `batch`.
  private func take(_ batch: Batch, lossScale: Double) {
    let context = executor.batch
    context.pointee.steps = Int64(batch.steps)
    context.pointee.first_step = Int64(batch.firstStep)
    context.pointee.rows = Int64(batch.rows)
    context.pointee.tokens = UnsafePointer(batch.tokens.baseAddress)
    context.pointee.features = UnsafePointer(batch.features.baseAddress)
    context.pointee.classes = UnsafePointer(batch.classes.baseAddress)
    context.pointee.targets = UnsafePointer(batch.targets.baseAddress)
    context.pointee.weights = UnsafePointer(batch.weights.baseAddress)
    context.pointee.loss_scale = lossScale
    context.pointee.statistics = statistics
  }

  /// Runs the tiles of a batch forward from the zero state, its steps counted from 0; each is passed
  /// with its rows.
  func forEachTile(of batch: Batch, _ body: (_ tile: Int, _ rows: Range<Int>) -> Void) {
    take(batch, lossScale: 0)
    executor.batch.pointee.first_step = 0
    executor.startBatch(trains: false)
    let lanes = Int(MS_LANES)
    var row = 0
    while row < batch.rows {
      let first = row
      row = executor.startTiles(from: first)
      let tiles = (row - first + lanes - 1) / lanes
      for tile in 0..<tiles { executor.loadState(tile: tile, nil) }
      executor.runForward()
      for tile in 0..<tiles {
        let start = first + tile * lanes
        body(tile, start..<min(start + lanes, row))
      }
    }
  }

  private func runTiles(
    _ batch: Batch, state: UnsafeMutableRawBufferPointer, firstTile: Int, backward: Bool
  ) {
    var row = 0
    var start = firstTile
    while row < batch.rows {
      let first = row
      row = executor.startTiles(from: first)
      let saved = state.baseAddress.map { $0 + start * executor.carriedBytes }
      let tiles = (row - first + Int(MS_LANES) - 1) / Int(MS_LANES)
      for tile in 0..<tiles {
        let continued = batch.continuesState ? saved : nil
        executor.loadState(tile: tile, continued.map { UnsafeRawPointer($0) })
      }
      executor.runForward()
      if backward { executor.startBackward() }
      executor.runLoss()
      if backward { executor.runBackward() }
      if shape.carriesState, let saved {
        for tile in 0..<tiles { executor.saveState(tile: tile, to: saved) }
      }
      start += tiles
    }
  }
}

extension Batch {
  /// Tiles that the most rows take.
  fileprivate var tiles: Int { (maximumRows + Int(MS_LANES) - 1) / Int(MS_LANES) }
}
