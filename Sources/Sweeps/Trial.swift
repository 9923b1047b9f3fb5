import MemoryNets

/// The name of a trial: a hash of everything that determines its result.
package struct TrialIdentity: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// 32 lower-case hexadecimal digits.
  package var description: String {
    func hex(_ x: UInt64) -> String {
      let digits = String(x, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    return hex(high) + hex(low)
  }

  package init?(_ description: String) {
    guard description.utf8.count == 32,
      let high = UInt64(description.prefix(16), radix: 16),
      let low = UInt64(description.suffix(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }

  package static func < (a: TrialIdentity, b: TrialIdentity) -> Bool {
    (a.high, a.low) < (b.high, b.low)
  }
}

/// What a trial is measured by.
package struct MetricGoal: Hashable, Sendable {
  package enum Direction: String, Sendable, CaseIterable { case maximize, minimize }

  /// `validation.accuracy`: split and metric.
  package var name: String
  package var direction: Direction
  package var target: Double?
  package var stopsAtTarget: Bool

  package init(
    name: String = "validation.loss", direction: Direction = .minimize, target: Double? = nil,
    stopsAtTarget: Bool = false
  ) {
    self.name = name
    self.direction = direction
    self.target = target
    self.stopsAtTarget = stopsAtTarget
  }
}

/// Which sources of randomness change with the seed.
package enum SeedPurpose: String, Sendable, CaseIterable {
  case `init`, order, data
}

/// Everything that determines a trial's result, with every default filled in.
package struct TrialConfiguration: Hashable, Sendable {
  /// `kind` and the task's options.
  package var task: OptionDictionary
  /// The model's options and the cell's.
  package var model: OptionDictionary
  package var train: OptionDictionary
  package var seed: Int
  package var vary: Set<SeedPurpose>
  package var metric: MetricGoal
  package var sharing: GradientSharing

  package init(
    task: OptionDictionary, model: OptionDictionary, train: OptionDictionary, seed: Int,
    vary: Set<SeedPurpose> = Set(SeedPurpose.allCases), metric: MetricGoal = MetricGoal(),
    sharing: GradientSharing = .none
  ) {
    self.task = task
    self.model = model
    self.train = train
    self.seed = seed
    self.vary = vary
    self.metric = metric
    self.sharing = sharing
  }
}

/// One value of a searched dimension: `model.hidden_size` = 50.
package struct TrialParameter: Hashable, Sendable {
  package let path: String
  package let value: OptionValue

  package init(path: String, value: OptionValue) {
    self.path = path
    self.value = value
  }
}

/// One training run of the sweep: a resolved configuration with a seed, by its identity.
package struct Trial: Hashable, Sendable {
  package let identity: TrialIdentity
  /// The method's name, a row of the table.
  package let method: String
  /// The values of the searched dimensions, in the order of the sweep file.
  package let parameters: [TrialParameter]
  package let configuration: TrialConfiguration
  /// The ranks that are to train it together, a power of two.
  package let ranks: Int
  package var seed: Int { configuration.seed }

  package init(
    identity: TrialIdentity, method: String, parameters: [TrialParameter],
    configuration: TrialConfiguration, ranks: Int = 1
  ) {
    self.identity = identity
    self.method = method
    self.parameters = parameters
    self.configuration = configuration
    self.ranks = ranks
  }
}

/// How a finished trial ended.
package enum TrialStatus: String, Sendable, CaseIterable {
  case complete, diverged, failed
  case timedOut = "timed_out"
}

/// A metric at a step of the training.
package struct MetricPoint: Hashable, Sendable {
  package let step: Int
  package let name: String
  package let value: Double

  package init(step: Int, name: String, value: Double) {
    self.step = step
    self.name = name
    self.value = value
  }
}

/// The outcome of a finished trial.
package struct TrialResult: Hashable, Sendable {
  // Determined by the trial alone, bit for bit:
  package var status: TrialStatus
  /// Updates done; of a diverged trial, the update whose loss was not finite.
  package var steps: Int
  /// The last value of every metric, by name, in ascending order of name.
  package var metrics: [MetricPoint]
  /// Every evaluation, in order.
  package var history: [MetricPoint]
  /// The first evaluation at or past the target; nil is a censored observation.
  package var stepsToTarget: Int?
  /// Why it failed or diverged, one line.
  package var reason: String?
  package var parameterCount: Int
  package var stateSize: Int

  // Of this execution:
  /// Core-seconds of training over all attempts whose work was kept.
  package var seconds: Double
  package var secondsToTarget: Double?
  /// Seconds since 1970.
  package var startedAt: Double
  package var finishedAt: Double
  package var host: String
  package var rank: Int
  package var attempt: Int

  package init(status: TrialStatus, steps: Int) {
    self.status = status
    self.steps = steps
    metrics = []
    history = []
    parameterCount = 0
    stateSize = 0
    seconds = 0
    startedAt = 0
    finishedAt = 0
    host = ""
    rank = 0
    attempt = 1
  }
}
