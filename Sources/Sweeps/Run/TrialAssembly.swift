import Foundation
import MemoryNets

/// What the training of a trial is made of.
package struct TrialParts {
  package let task: any SequenceTask
  package let model: any TrainableModel
  package let options: TrainOptions
  package let noiseKey: PhiloxKey

  package init(
    task: any SequenceTask, model: any TrainableModel, options: TrainOptions,
    noiseKey: PhiloxKey
  ) {
    self.task = task
    self.model = model
    self.options = options
    self.noiseKey = noiseKey
  }

  /// The network that is trained, whether it is cut into shards or not; nil for another model.
  package var network: Network? {
    model as? Network ?? (model as? ShardedNetwork)?.network
  }
}

/// A configuration that names what does not exist.
package struct AssemblyError: Error, Hashable, CustomStringConvertible {
  package let description: String

  package init(description: String) {
    self.description = description
  }
}

/// Makes tasks and models by the names in a trial's configuration.
///
/// Tasks are kept from trial to trial, for those with equal options and keys: methods compared on
/// the same seed see the same sequences.
package final class TrialAssembly {
  /// The options of the type of the first argument, with the values laid over it.
  package typealias Decoder = (any Options, OptionDictionary) throws -> any Options

  /// How many tasks are kept.
  package static let kept = 4

  private struct TaskName: Hashable {
    let options: OptionDictionary
    let data: PhiloxKey
    let order: PhiloxKey
  }

  private let tasks: [TaskKind]
  private let cells: [CellKind]
  private let data: DataFolder
  private let execution: ExecutionOptions
  private let decode: Decoder
  /// The last one used stands last.
  private var made: [(name: TaskName, task: any SequenceTask)] = []

  package init(
    tasks: [TaskKind] = TaskRegistry.all, cells: [CellKind] = CellRegistry.all,
    data: DataFolder, execution: ExecutionOptions = ExecutionOptions(), decode: @escaping Decoder
  ) {
    self.tasks = tasks
    self.cells = cells
    self.data = data
    self.execution = execution
    self.decode = decode
  }

  /// The task, the model with its initial weights and the options of a trial, for this rank of a team
  /// if there is one.
  package func parts(
    of configuration: TrialConfiguration, team: (any TrainingTeam)? = nil
  ) throws -> TrialParts {
    try parts(of: configuration, task: try task(of: configuration), team: team)
  }

  /// The same with a task that has been made.
  package func parts(
    of configuration: TrialConfiguration, task: any SequenceTask,
    team: (any TrainingTeam)? = nil
  ) throws -> TrialParts {
    let options = try decode(TrainOptions(), as: TrainOptions.self, configuration.train)
    let (model, cell) = try model(of: configuration)
    try Self.checkStart(of: cell, options)
    let shards = configuration.sharing.shards
    let network = try Network(
      model: model, cell: cell, shape: task.shape,
      batchSize: max(options.batchSize, options.evaluationRows), trainingRows: options.batchSize,
      rowsAtOnce: options.microBatchRows, initializationKey: configuration.key("init"),
      execution: execution, sharding: shards > 1 ? Sharding(shards: shards, team: team) : nil)
    let trained: any TrainableModel =
      shards > 1 ? ShardedNetwork(network, batchSize: options.batchSize) : network
    return TrialParts(
      task: task, model: trained, options: options, noiseKey: configuration.key("noise"))
  }

  /// The model of a trial to look into, as it is after `updates` updates and with the weights of no
  /// trial yet; for batches of `steps` steps, as many as the task's unless said.
  package func stateReader(
    of configuration: TrialConfiguration, shape: TaskShape, steps: Int? = nil, after updates: Int
  ) throws -> StateReader {
    let (model, cell) = try model(of: configuration)
    return try StateReader(
      model: model, cell: cell, shape: shape, steps: steps ?? shape.maximumSteps,
      after: updates, instructionSet: execution.instructionSet)
  }

  /// Throws what is wrong with the model of a trial for a task of this shape.
  package func checkModel(of configuration: TrialConfiguration, shape: TaskShape) throws {
    let (model, cell) = try model(of: configuration)
    if let problem = RecurrentModel(options: model, cell: cell, shape: shape).validate().first {
      throw problem
    }
    try Self.checkStart(
      of: cell, try decode(TrainOptions(), as: TrainOptions.self, configuration.train))
  }

  /// Throws where the training would end before the model that was asked for is trained.
  private static func checkStart(of cell: any RecurrentCell, _ options: TrainOptions) throws {
    guard let first = cell.dataStart?.firstUpdate, first > 0, first >= options.steps else { return }
    throw OptionProblem(
      "pretrain_steps",
      "is \(first), part of the \(options.steps) of train.steps; fewer than these are possible")
  }

  /// The parameters of the model of a trial, without making it.
  package func parameterCount(of configuration: TrialConfiguration, shape: TaskShape) throws -> Int
  {
    let (model, cell) = try model(of: configuration)
    return RecurrentModel(options: model, cell: cell, shape: shape).recorded().parameterCount
  }

  /// What a rank of a team of `ranks` ranks shares for a trial, without making its model.
  package func teamBytes(
    of configuration: TrialConfiguration, shape: TaskShape, ranks: Int
  ) throws -> TeamBytes {
    let (model, cell) = try model(of: configuration)
    let options = try decode(TrainOptions(), as: TrainOptions.self, configuration.train)
    return Network.teamBytes(
      model: model, cell: cell, shape: shape, trainingRows: options.batchSize,
      rowsAtOnce: options.microBatchRows, execution: execution,
      shards: configuration.sharing.shards, ranks: ranks)
  }

  private func model(
    of configuration: TrialConfiguration
  ) throws -> (ModelOptions, any RecurrentCell) {
    let names = OptionSchema(defaults: ModelOptions()).names
    let model = try decode(
      ModelOptions(), as: ModelOptions.self,
      configuration.model.filter { names.contains($0.key) })
    guard let kind = cells.first(where: { $0.name == model.cell }) else {
      throw AssemblyError(
        description: "model.cell: \(model.cell) is unknown; there are "
          + cells.map(\.name).joined(separator: ", "))
    }
    let cell = kind.make(
      try decode(kind.defaults, configuration.model.filter { !names.contains($0.key) }))
    return (model, cell)
  }

  /// The task of a trial, made or taken from those kept.
  package func task(of configuration: TrialConfiguration) throws -> any SequenceTask {
    let name = TaskName(
      options: configuration.task, data: configuration.key("data"),
      order: configuration.key("order"))
    if let index = made.firstIndex(where: { $0.name == name }) {
      let found = made.remove(at: index)
      made.append(found)
      return found.task
    }
    guard case .string(let kindName) = configuration.task["kind"],
      let kind = tasks.first(where: { $0.name == kindName })
    else {
      throw AssemblyError(
        description: "task.kind: unknown; there are "
          + tasks.map(\.name).joined(separator: ", "))
    }
    let options = try decode(kind.defaults, configuration.task.filter { $0.key != "kind" })
    let task = try kind.make(options, name.data, data)
    task.orderTraining(by: name.order)
    made.append((name, task))
    if made.count > Self.kept { made.removeFirst() }
    return task
  }

  private func decode<O: Options>(
    _ defaults: O, as type: O.Type, _ values: OptionDictionary
  ) throws -> O {
    guard let options = try decode(defaults, values) as? O else {
      preconditionFailure("the decoder changed the type of \(type)")
    }
    return options
  }
}

extension TrialConfiguration {
  /// The key for one use of randomness: `init`, `order`, `data` or `noise`.
  ///
  /// A function of the seed and the purpose alone, so that methods on the same seed are paired. A
  /// purpose that does not vary has seed 0; noise varies with the order.
  package func key(_ purpose: String) -> PhiloxKey {
    let varies = vary.contains(SeedPurpose(rawValue: purpose) ?? .order)
    return PhiloxKey(UInt64(bitPattern: Int64(varies ? seed : 0))).derived(purpose)
  }
}
