import MemoryNets

/// What a checked sweep file becomes on this machine: its tasks and models, and the identities of
/// its trials.
///
/// `check`, `plan` and a run share it.
package struct SweepSetup {
  package let spec: SweepSpec
  package let assembly: TrialAssembly
  package let execution: ExecutionOptions
  private let tasks: TaskCache

  package init(_ spec: SweepSpec, data: DataFolder, execution: ExecutionOptions) {
    self.spec = spec
    self.execution = execution
    assembly = TrialAssembly(data: data, execution: execution) { try decodeOptions($0, from: $1) }
    tasks = TaskCache(assembly)
  }

  /// Changes when the same configuration would give other bits.
  package var numericContract: String {
    let passes = PlanPass.allCases.filter { !execution.disabledPasses.contains($0) }
    return "engine \(Self.engineVersion); passes "
      + passes.map(\.rawValue).sorted().joined(separator: " ")
      + Self.instructionsLabel + execution.instructionSet.rawValue
  }

  private static let instructionsLabel = "; instructions "

  /// The instructions that a numeric contract names; none where this program knows no such.
  package static func instructionSet(of numericContract: String) -> InstructionSet? {
    guard let label = numericContract.firstRange(of: instructionsLabel) else { return nil }
    return InstructionSet(rawValue: String(numericContract[label.upperBound...]))
  }

  /// Counts the changes of the engine that change the bits of a result.
  package static let engineVersion = 4

  package var identifier: TrialIdentifier {
    TrialIdentifier(
      numericContract: numericContract, threads: spec.resources.threads,
      dataDigest: { [tasks] options in tasks[options]?.dataDigest ?? "" })
  }

  /// The trials of the sweep, the longest expected first.
  package func source() -> any TrialSource {
    SearchRegistry.source(spec, identifier: identifier, cost: { cost($0) })
  }

  /// How much work a trial is expected to be, in no particular unit.
  private func cost(_ configuration: TrialConfiguration) -> Double {
    guard let size = tasks.size(of: configuration) else { return 0 }
    func number(_ name: String) -> Double {
      if case .integer(let value)? = configuration.train[name] { return Double(value) }
      return 1
    }
    return Double(size) * number("batch_size") * number("steps")
  }

  /// The configurations of the first seed, at most `limit` of them.
  package func configurations(limit: Int = 10_000) -> [TrialConfiguration] {
    firstTrials(limit: limit).map(\.configuration)
  }

  private func firstTrials(limit: Int = 10_000) -> [Trial] {
    let source = SearchRegistry.source(
      spec,
      identifier: TrialIdentifier(numericContract: "", dataDigest: { _ in "" }))
    var found: [Trial] = []
    while found.count < limit, let trial = source.next(), trial.seed == spec.seeds.first {
      found.append(trial)
    }
    return found
  }

  /// The most that a rank of a team shares with the others; nothing where no trial has a team.
  package func teamBytes() -> TeamBytes {
    var ranks: [String: Int] = [:]
    for method in spec.methods { ranks[method.name] = spec.ranks(of: method) }
    return firstTrials().reduce(TeamBytes()) { most, trial in
      guard let ranks = ranks[trial.method], ranks > 1,
        let shape = tasks[trial.configuration.task]?.shape,
        let bytes = try? assembly.teamBytes(of: trial.configuration, shape: shape, ranks: ranks)
      else { return most }
      return most.union(bytes)
    }
  }

  /// What only shows when tasks are made.
  ///
  /// Missing data, a metric that the task does not have, a model that does not fit it; each once.
  package func problems() -> [SpecProblem] {
    var messages: [(path: String, message: String)] = []
    for configuration in configurations() {
      let found: (path: String, message: String)?
      do {
        let task = try assembly.task(of: configuration)
        let isSteering =
          configuration.metric.target != nil
          || configuration.train["early_stop_patience"].map { $0 != .integer(0) } ?? false
          || configuration.train["schedule"] == .string("plateau")
        if let problem = Metrics.problem(
          goal: configuration.metric.name, loss: task.shape.loss, measures: task.shape.measures,
          isSteering: isSteering)
        {
          found = ("metric.name", problem)
        } else {
          try assembly.checkModel(of: configuration, shape: task.shape)
          found = nil
        }
      } catch let problem as OptionProblem {
        found = ("model.\(problem.option)", problem.problem)
      } catch {
        found = ("task", "\(error)")
      }
      if let found, !messages.contains(where: { $0 == found }) { messages.append(found) }
    }
    return messages.map {
      SpecProblem(
        file: spec.file, place: spec.place(of: $0.path), path: $0.path, message: $0.message)
    }
  }

  /// What the store is to know of the sweep.
  package func record(trialCount: Int?) -> SweepRecord {
    SweepRecord(
      name: spec.name, metric: spec.metric, methods: spec.methods.map(\.name),
      trialCount: trialCount, fingerprint: fingerprint(), createdWith: Self.program,
      numericContract: numericContract)
  }

  /// The program and its version, as stores and `--version` say it.
  package static let program = "memsweep 0.1.0"

  /// Names the set of trials with their labels.
  private func fingerprint() -> String {
    let text = configurations().map(\.canonicalJSON).joined(separator: "\n")
    let labels = spec.methods.map(\.name).joined(separator: ",")
    let counts =
      "\(spec.seeds.first) \(spec.seeds.count) \(spec.search.method) \(spec.search.trials)"
    return TrialIdentifier.digest(
      of: [numericContract, labels, counts, text].joined(separator: "\n"))
  }

  /// The trivial predictors of the sweep's tasks.
  package func baselines() -> [TaskBaseline] {
    var found: [TaskBaseline] = []
    for configuration in configurations() {
      let task = JSONValue(configuration.task).text
      guard !found.contains(where: { $0.task == task }) else { continue }
      let made = tasks[configuration.task]
      found += (made?.baselines ?? []).map { TaskBaseline(task: task, baseline: $0) }
    }
    return found
  }
}

/// Tasks by their options, made once under a fixed key: for digests, baselines and shapes.
private final class TaskCache {
  private let assembly: TrialAssembly
  private var tasks: [OptionDictionary: any SequenceTask] = [:]
  private var sizes: [[OptionDictionary]: Int] = [:]

  init(_ assembly: TrialAssembly) {
    self.assembly = assembly
  }

  subscript(options: OptionDictionary) -> (any SequenceTask)? {
    if let known = tasks[options] { return known }
    let made = try? assembly.task(
      of: TrialConfiguration(task: options, model: [:], train: [:], seed: 0, vary: []))
    tasks[options] = made
    return made
  }

  /// Parameters times steps of a sequence.
  func size(of configuration: TrialConfiguration) -> Int? {
    let key = [configuration.task, configuration.model]
    if let known = sizes[key] { return known }
    guard let shape = self[configuration.task]?.shape,
      let count = try? assembly.parameterCount(of: configuration, shape: shape)
    else { return nil }
    sizes[key] = count * shape.maximumSteps
    return sizes[key]
  }
}
