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
  /// Whether shards are summed within the plan, so that all sequences of a rank run together.
  package var runsTogether: Bool { sharding?.runsTogether ?? false }
  /// The most rows of a batch.
  let maximumRows: Int
  let dataStart: (any DataStart)?
  private let own: Executor
  /// Of what is trained first in the model's place.
  let forerunner: Executor?
  var runsForerunner: Bool
  var executor: Executor { runsForerunner ? forerunner ?? own : own }
  let statistics: UnsafeMutablePointer<Double>
  /// By sequence, what is carried from batch to batch: of the training, and of an evaluation.
  let trainingState: UnsafeMutableRawBufferPointer
  let evaluationState: UnsafeMutableRawBufferPointer
  /// Some rows of a batch, where they cannot be run as they stand in it.
  let part: Batch?
  /// How batches are cut, where their gradients are summed shard by shard.
  let sharding: Sharding?
  /// Where the ranks of a team work on the read-out together.
  let jointReadout: JointReadout?
  /// Whether they do.
  package var sharesReadout: Bool { jointReadout != nil }
  /// Elements of the gradients that a run together with other ranks writes, summed over all.
  var jointGradients: [Range<Int>] { runsForerunner ? [] : jointReadout?.gradients ?? [] }

  /// Makes the model with its initial weights, drawn under `initializationKey`.
  ///
  /// `batchSize` is the largest number of rows that a batch will have, `trainingRows` the largest of
  /// one that is trained on and `rowsAtOnce` how many of these are run together, where many are; by
  /// default all the same. With `sharding` this is one rank's share of a model, for a
  /// `ShardedNetwork`.
  package init(
    model: ModelOptions, cell: any RecurrentCell, shape: TaskShape, batchSize: Int,
    trainingRows: Int? = nil, rowsAtOnce: Int? = nil, initializationKey: PhiloxKey,
    execution: ExecutionOptions = ExecutionOptions(), sharding: Sharding? = nil
  ) throws(OptionProblem) {
    let model = RecurrentModel(options: model, cell: cell, shape: shape)
    if let problem = model.validate().first { throw problem }
    let rows = trainingRows ?? batchSize
    let (plans, options) = Self.plans(
      model, rows: rows, atOnce: rowsAtOnce ?? rows, execution: execution, sharding)
    let plan = plans[0]
    let declarations = plans.count > 1 ? plans[1].parameters : plan.parameters
    let gradientCount = plans.map(\.gradientCount).max() ?? 0
    let gradientRoom: UnsafeMutableRawPointer?
    do throws(TeamError) {
      gradientRoom = try sharding?.team?.gradientRoom(
        byteCount: max(gradientCount, 1) * model.options.precision.size)
      jointReadout = try sharding?.team.flatMap { team throws(TeamError) in
        options.parts > 1
          ? try JointReadout(plan, team: team, precision: model.options.precision) : nil
      }
    } catch {
      throw OptionProblem("ranks_per_trial", "\(error)")
    }
    let store = ParameterStore(
      declarations, precision: model.options.precision, key: initializationKey,
      gradientCount: gradientCount, gradientRoom: gradientRoom)
    parameters = store
    parameterCount = model.recorded().parameterCount
    parameters.keepTouchedRows(of: plan.lookupTables, rooms: plan.lookupRooms)
    kernels = Kernels(execution.instructionSet, model.options.precision)
    let executors = plans.map {
      Executor(plan: $0, parameters: store, instructionSet: execution.instructionSet)
    }
    own = executors[0]
    forerunner = executors.count > 1 ? executors[1] : nil
    dataStart = cell.dataStart
    runsForerunner = forerunner != nil
    stateSize = plan.stateSize
    self.shape = shape
    maximumRows = batchSize
    self.sharding = sharding.map { cut in
      var cut = cut
      cut.runsTogether = options.shardRows > 0
      return cut
    }
    statistics = .allocate(capacity: Int(MS_STATISTICS) * (sharding?.localShards ?? 1))
    part = Self.part(shape, plans, batchSize: batchSize, rows: options.maximumRows, sharding)
    let carried = executors.map(\.carriedCount).max() ?? 0
    let stateBytes = shape.carriesState ? batchSize * carried * model.options.precision.size : 0
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

  /// The plan of the model and of what is trained before it, if anything is, for batches of `rows`
  /// of which `atOnce` are run together.
  private static func plans(
    _ model: RecurrentModel, rows: Int, atOnce: Int, execution: ExecutionOptions,
    _ sharding: Sharding?
  ) -> (plans: [Plan], options: PlanOptions) {
    let shape = model.shape
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
    options.maximumRows = min(rows, atOnce)
    let graphs = [model.recorded()] + (model.recordedForerunner().map { [$0] } ?? [])
    options.storedParameters = graphs.map(\.parameterCount).max() ?? 0
    guard let sharding else { return (graphs.map { PlanBuilder.plan($0, options) }, options) }
    options.shardRows = max(1, rows / sharding.shards)
    if atOnce >= rows {
      options.maximumRows = options.shardRows * sharding.localShards
      options.parts = sharding.ranks
      let together = graphs.map { PlanBuilder.plan($0, options) }
      // The touched rows that a store keeps are those of one plan.
      let isPossible =
        together.allSatisfy(\.sumsByShard)
        && (together.count == 1 || together.allSatisfy(\.lookupRooms.isEmpty))
      if isPossible { return (together, options) }
    }
    options.parts = 1
    options.maximumRows = min(options.shardRows, atOnce)
    options.shardRows = 0
    return (graphs.map { PlanBuilder.plan($0, options) }, options)
  }

  /// What such a model wants to share with the others of a team of `ranks` ranks.
  package static func teamBytes(
    model: ModelOptions, cell: any RecurrentCell, shape: TaskShape, trainingRows: Int,
    rowsAtOnce: Int? = nil, execution: ExecutionOptions = ExecutionOptions(), shards: Int,
    ranks: Int
  ) -> TeamBytes {
    let (plans, options) = plans(
      RecurrentModel(options: model, cell: cell, shape: shape), rows: trainingRows,
      atOnce: rowsAtOnce ?? trainingRows, execution: execution,
      Sharding(shards: shards, ranks: ranks))
    let joint =
      options.parts > 1
      ? plans[0].readout.map {
        JointReadout.byteCount(
          $0, vectors: plans[0].flatVectors, ranks: ranks, precision: model.precision)
      } : nil
    return TeamBytes(
      gradients: (plans.map(\.gradientCount).max() ?? 0) * model.precision.size, work: joint ?? 0)
  }

  private static func part(
    _ shape: TaskShape, _ plans: [Plan], batchSize: Int, rows: Int, _ sharding: Sharding?
  ) -> Batch? {
    let isFlat = plans.contains(where: \.isFlat)
    guard let sharding else {
      return isFlat && batchSize > rows ? Batch(shape: shape, maximumRows: rows) : nil
    }
    let ofShard = (batchSize + sharding.shards - 1) / sharding.shards
    return Batch(shape: shape, maximumRows: isFlat ? rows : max(rows, ofShard))
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
}
