import MemoryNets

/// What is left of a sweep, how long it will take and how much memory.
package struct SweepEstimate {
  package struct MethodCost {
    /// The mean over the method's configurations; nil if not measured.
    package var seconds: Double?
    /// Of the configuration that takes most.
    package var memory: TrialMemory?
    /// Where the method asks for teams; of the configuration that is largest in memory.
    package var team: TeamPrediction?
    package var ranks = 1
  }

  package private(set) var methods: [String: MethodCost] = [:]
  /// Trials that have a result.
  package private(set) var known = 0
  /// Trials that have none.
  package private(set) var remaining = 0
  /// Of one core, for all that is left, as if no trial stopped early; nil if not measured.
  package private(set) var coreSeconds: Double?
  package private(set) var wallSeconds: Double?
  /// What the program takes by itself; nil where the system does not tell.
  package private(set) var program: ProgramMemory?

  /// Configurations that are measured and counted one by one; of more, the mean stands for all.
  private static let limit = 2_000

  /// Measures each distinct shape for `probeSeconds`; `note` is told before each.
  package init(
    _ setup: SweepSetup, probeSeconds: Double, ranks: Int, note: (String) -> Void
  ) throws {
    program = ProgramMemory.measured()
    let finished = try Self.finished(setup)
    let source = setup.source()
    var probe = CostProbe(setup, probeSeconds: probeSeconds)
    var costs: [[TrialParameter]: [String: CostProbe.Cost]] = [:]
    var sums: [String: (seconds: Double, count: Int)] = [:]
    var seconds = 0.0
    var longest = 0.0
    var rankSeconds = 0.0
    var seen = 0
    while let trial = source.next() {
      seen += 1
      let isKnown = finished.contains(trial.identity)
      known += isKnown ? 1 : 0
      remaining += isKnown ? 0 : 1
      guard let cost = costs[trial.parameters]?[trial.method] ?? measured(trial) else {
        if !isKnown, !sums.isEmpty {
          let mean =
            sums.values.reduce(0) { $0 + $1.seconds / Double($1.count) } / Double(sums.count)
          seconds += mean
          rankSeconds += mean
        }
        continue
      }
      if !isKnown {
        seconds += cost.seconds ?? 0
        let wall = cost.teamSeconds ?? 0
        rankSeconds += wall * Double(min(cost.ranks, ranks))
        longest = max(longest, wall)
      }
    }

    func measured(_ trial: Trial) -> CostProbe.Cost? {
      guard costs.count < Self.limit else { return nil }
      if costs.isEmpty, probeSeconds > 0 { note("measuring ...") }
      guard let cost = try? probe.cost(of: trial) else { return nil }
      costs[trial.parameters, default: [:]][trial.method] = cost
      var sum = sums[trial.method] ?? (0, 0)
      sum.seconds += cost.seconds ?? 0
      sum.count += 1
      sums[trial.method] = sum
      let largest = methods[trial.method]?.memory
      let isLarger = (cost.memory?.total ?? 0) > (largest?.total ?? 0)
      methods[trial.method] = MethodCost(
        memory: isLarger ? cost.memory : largest,
        team: isLarger ? cost.team : methods[trial.method]?.team, ranks: cost.ranks)
      return cost
    }

    guard probeSeconds > 0 else { return }
    for (name, sum) in sums { methods[name]?.seconds = sum.seconds / Double(sum.count) }
    coreSeconds = seconds
    wallSeconds = max(rankSeconds / Double(ranks), longest)
  }

  /// The bytes of a rank that trains the largest trial there is: the trial, and the tasks of those
  /// before that are kept.
  package var bytesOfWorker: Int? { largest(\.total) }

  /// The same while it goes on from a checkpoint.
  package var bytesOfWorkerWhileResuming: Int? { largest { max($0.total, $0.whileResuming) } }

  private func largest(_ bytes: (TrialMemory) -> Int) -> Int? {
    methods.values.compactMap(\.memory)
      .map { bytes($0) + (TrialAssembly.kept - 1) * $0.task }.max()
  }

  private static func finished(_ setup: SweepSetup) throws -> Set<TrialIdentity> {
    guard ResultReader.exists(in: setup.spec.outputDirectory) else { return [] }
    var found: Set<TrialIdentity> = []
    try ResultReader(directory: setup.spec.outputDirectory).forEachTrial {
      found.insert($0.identity)
    }
    return found
  }
}
