import MemoryNets

/// What a store knows of the sweep whose results it holds.
package struct SweepRecord: Hashable, Sendable {
  package var name: String
  package var metric: MetricGoal
  /// The names of the methods in the order of the sweep file: the order of the table's rows.
  package var methods: [String]
  /// The number of trials of the sweep, where it is known.
  package var trialCount: Int?
  /// A text or hash that is the same exactly if the sweep has the same trials with the same labels.
  ///
  /// When it changes, results count as part of the sweep again once they are adopted.
  package var fingerprint: String
  /// The program and version that made the store.
  package var createdWith: String
  package var numericContract: String

  package init(
    name: String, metric: MetricGoal, methods: [String], trialCount: Int?, fingerprint: String,
    createdWith: String, numericContract: String
  ) {
    self.name = name
    self.metric = metric
    self.methods = methods
    self.trialCount = trialCount
    self.fingerprint = fingerprint
    self.createdWith = createdWith
    self.numericContract = numericContract
  }
}

extension MetricGoal {
  /// The target in words, `validation.accuracy >= 0.99`; nil without a target.
  var condition: String? {
    target.map { "\(name) \(direction == .maximize ? ">=" : "<=") \($0)" }
  }

  /// Whether `value` is at or past the target.
  func isReached(by value: Double) -> Bool {
    guard let target else { return false }
    return direction == .maximize ? value >= target : value <= target
  }
}

/// A trivial baseline of one of the sweep's tasks.
package struct TaskBaseline: Hashable, Sendable {
  /// The task and its options as canonical JSON.
  package let task: String
  package let baseline: TrivialBaseline

  package init(task: String, baseline: TrivialBaseline) {
    self.task = task
    self.baseline = baseline
  }
}

/// A finished trial as it stands in the store, without its configuration and history.
package struct StoredTrial: Hashable, Sendable {
  package let identity: TrialIdentity
  package let method: String
  package let parameters: [TrialParameter]
  package let seed: Int
  /// `history` is empty; `ResultReader.history(of:)` has it.
  package let result: TrialResult

  package init(
    identity: TrialIdentity, method: String, parameters: [TrialParameter], seed: Int,
    result: TrialResult
  ) {
    self.identity = identity
    self.method = method
    self.parameters = parameters
    self.seed = seed
    self.result = result
  }

  /// The last value of the metric `name`, where it is a number.
  package func value(of name: String) -> Double? {
    result.metrics.first { $0.name == name && !$0.value.isNaN }?.value
  }
}
