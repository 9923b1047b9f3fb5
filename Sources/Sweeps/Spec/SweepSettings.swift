import MemoryNets

extension SeedPurpose: Codable {}
extension MetricGoal.Direction: Codable {}

/// `seeds:`, the same for every configuration, so that comparisons are paired.
package struct SeedSettings: Options, Hashable {
  /// Seeds `first` to `first + count - 1`.
  package var count = 1
  package var first = 1
  /// Which sources of randomness change with the seed.
  package var vary = SeedPurpose.allCases

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems: [OptionProblem] = []
    if !(1...1_000_000).contains(count) {
      problems.append(OptionProblem("count", "is \(count); 1 to 1000000 seeds are possible"))
    }
    if !(0...Int(Int32.max)).contains(first) {
      problems.append(OptionProblem("first", "is \(first); 0 to \(Int32.max) is possible"))
    }
    if Set(vary).count < vary.count {
      problems.append(OptionProblem("vary", "names a purpose twice"))
    }
    return problems
  }
}

/// `metric:` as it is written; `MetricGoal` is what becomes of it.
struct MetricSettings: Options {
  var name = "validation.loss"
  var goal = MetricGoal.Direction.minimize
  var target = 0.0
  var stopAtTarget = false
}

/// `search:`, how the space is gone through.
package struct SearchSettings: Options, Hashable {
  /// One of `SearchRegistry`.
  package var method = "grid"
  /// Configurations of each method, for searches that draw them.
  package var trials = 64
  /// The key of the draws.
  package var key = 0

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems: [OptionProblem] = []
    if !(1...1_000_000_000).contains(trials) {
      problems.append(OptionProblem("trials", "is \(trials); at least 1 is needed"))
    }
    if key < 0 { problems.append(OptionProblem("key", "is \(key); at least 0 is needed")) }
    return problems
  }
}

/// `resources:` of a trial.
package struct ResourceSettings: Options, Hashable {
  package var ranksPerTrial = 1
  package var threads = 1
  /// The most memory that a rank may use, or `unlimited`.
  package var memory = "unlimited"

  package init() {}

  /// What is wrong with a number of ranks.
  static func problems(ranks: Int) -> [OptionProblem] {
    Sharding.problem(shards: ranks, ranks: ranks) == nil
      ? []
      : [
        OptionProblem(
          "ranks_per_trial", "is \(ranks); 1, 2, 4, 8 or another power of two up to 64 is needed")
      ]
  }

  /// Nil when there is no limit.
  package var memoryBytes: Int? { Quantity.bytes(memory) }

  package func validate() -> [OptionProblem] {
    var problems: [OptionProblem] = []
    problems += Self.problems(ranks: ranksPerTrial)
    if threads != 1 {
      problems.append(
        OptionProblem("threads", "is \(threads); this version trains a trial with 1 thread"))
    }
    if memory != "unlimited", memoryBytes ?? 0 <= 0 {
      problems.append(
        OptionProblem("memory", "is \"\(memory)\"; a size such as 2GiB, or unlimited, is needed"))
    }
    return problems
  }
}

/// `data_parallel:`, how the ranks of a trial share a batch.
package struct DataParallelSettings: Options, Hashable {
  package enum Reduction: String, Codable, CaseIterable, Sendable {
    /// Sums in an order that does not depend on the number of ranks.
    case reproducible
    /// Sums as MPI likes it best.
    case fast
  }

  package enum Gradients: String, Codable, CaseIterable, Sendable {
    /// They travel as they are.
    case exact
    /// Floats travel as their upper 16 bits.
    case bfloat16
  }

  package var reduction = Reduction.reproducible
  package var gradients = Gradients.exact
  package var shards = 4

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems: [OptionProblem] = []
    if let problem = Sharding.problem(shards: shards, ranks: 1) {
      problems.append(OptionProblem("shards", problem + " is needed"))
    }
    if gradients != .exact && reduction != .fast {
      problems.append(
        OptionProblem(
          "gradients", "is \(gradients.rawValue), which needs reduction: fast; exact is needed here"
        ))
    }
    return problems
  }
}

/// `retry:`, how often a trial is tried again, by why it ended.
package struct RetrySettings: Options, Hashable {
  /// A number, or `unlimited`.
  package var crash = "2"
  package var diverged = "0"
  package var preempted = "unlimited"

  package init() {}

  /// The number that a budget stands for; nil is unlimited.
  package static func budget(_ text: String) -> Int? { text == "unlimited" ? nil : Int(text) ?? 0 }

  package func validate() -> [OptionProblem] {
    [("crash", crash), ("diverged", diverged), ("preempted", preempted)].compactMap { name, text in
      if text == "unlimited" { return nil }
      if case .success(.integer(let value)) = OptionType.integer.parse(text), value >= 0,
        String(value) == text
      {
        return nil
      }
      return OptionProblem(name, "is \"\(text)\"; a number of times, or unlimited, is needed")
    }
  }
}

/// `checkpoint:`, when a trial's state is written and what is kept of a finished one.
package struct CheckpointSettings: Options, Hashable {
  /// The time between two checkpoints of a trial.
  package var every = "60s"
  package var keep = KeepSettings()

  package init() {}

  package var everySeconds: Double { Quantity.seconds(every) ?? 60 }

  package func validate() -> [OptionProblem] {
    Quantity.seconds(every) ?? 0 > 0
      ? []
      : [OptionProblem("every", "is \"\(every)\"; a time such as 60s, 10m or 04:00:00 is needed")]
  }

  private enum CodingKeys: CodingKey { case every }
}

/// `checkpoint.keep:`.
package struct KeepSettings: Options, Hashable {
  /// Checkpoints kept of a running trial.
  package var last = 2
  /// Best ones kept; 0 for none.
  package var best = 0
  /// Whether the final weights are kept.
  package var final = true

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems: [OptionProblem] = []
    if !(1...100).contains(last) {
      problems.append(OptionProblem("last", "is \(last); 1 to 100 is possible"))
    }
    if !(0...100).contains(best) {
      problems.append(OptionProblem("best", "is \(best); 0 to 100 is possible"))
    }
    return problems
  }
}

/// `output:`.
package struct OutputSettings: Options, Hashable {
  /// Relative to the current folder; `runs/` and the sweep's name when left out.
  package var directory = ""

  package init() {}
}
