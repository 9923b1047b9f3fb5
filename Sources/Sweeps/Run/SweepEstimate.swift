import MemoryNets

/// What is left of a sweep and how long it will take.
package struct SweepEstimate {
  package struct MethodCost {
    /// The mean over the method's configurations.
    package var seconds: Double
    /// The largest.
    package var bytes: Int
  }

  package private(set) var methods: [String: MethodCost] = [:]
  /// Trials that have a result.
  package private(set) var known = 0
  /// Trials that have none.
  package private(set) var remaining = 0
  /// Of one core, for all that is left, as if no trial stopped early; nil if not measured.
  package private(set) var coreSeconds: Double?
  package private(set) var wallSeconds: Double?

  /// Configurations that are measured and counted one by one; of more, the mean stands for all.
  private static let limit = 2_000

  /// Measures each distinct shape for `probeSeconds`; `note` is told before each.
  package init(
    _ setup: SweepSetup, probeSeconds: Double, ranks: Int, note: (String) -> Void
  ) throws {
    let finished = try Self.finished(setup)
    let source = setup.source()
    var probe = CostProbe(setup, probeSeconds: probeSeconds)
    var costs: [[TrialParameter]: [String: CostProbe.Cost]] = [:]
    var sums: [String: (seconds: Double, count: Int, bytes: Int)] = [:]
    var seconds = 0.0
    var longest = 0.0
    var seen = 0
    while let trial = source.next() {
      seen += 1
      let isKnown = finished.contains(trial.identity)
      known += isKnown ? 1 : 0
      remaining += isKnown ? 0 : 1
      guard probeSeconds > 0 else { continue }
      guard let cost = costs[trial.parameters]?[trial.method] ?? measured(trial) else {
        if !isKnown {
          seconds +=
            sums.values.reduce(0) { $0 + $1.seconds / Double($1.count) } / Double(sums.count)
        }
        continue
      }
      if !isKnown {
        seconds += cost.seconds
        longest = max(longest, cost.seconds)
      }
    }

    func measured(_ trial: Trial) -> CostProbe.Cost? {
      guard costs.count < Self.limit else { return nil }
      if costs.isEmpty { note("measuring ...") }
      guard let cost = try? probe.cost(of: trial) else { return nil }
      costs[trial.parameters, default: [:]][trial.method] = cost
      var sum = sums[trial.method] ?? (0, 0, 0)
      sum.seconds += cost.seconds
      sum.count += 1
      sum.bytes = max(sum.bytes, cost.parameterBytes + cost.arenaBytes)
      sums[trial.method] = sum
      return cost
    }

    for (name, sum) in sums {
      methods[name] = MethodCost(seconds: sum.seconds / Double(sum.count), bytes: sum.bytes)
    }
    guard probeSeconds > 0 else { return }
    coreSeconds = seconds
    wallSeconds = max(seconds / Double(ranks), longest)
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
