import MemoryNets

/// One row of the table: a method with its parameters, over seeds.
package struct SummaryRow: Hashable, Sendable {
  package let method: String
  package let parameters: [TrialParameter]
  /// Finished trials by how they ended; only what occurred.
  package private(set) var statuses: [TrialStatus: Int] = [:]
  /// Statistics of each metric over the complete trials, the sweep's metric first, then by name.
  package private(set) var metrics: [MetricStatistics] = []
  /// Steps to the target of every finished trial; empty without a target.
  package private(set) var stepsToTarget = SurvivalTimes()
  /// Core-seconds to the target of every finished trial; empty without a target.
  package private(set) var secondsToTarget = SurvivalTimes()
  /// The weights of the net; nil where trials of the row differ.
  package let parameterCount: Int?
  /// Numbers carried from step to step for a sequence; nil where trials of the row differ.
  package let stateSize: Int?
  /// Core-seconds of training of all trials of the row.
  package let seconds: Double

  /// `trials` is not empty; all have the same method and parameters.
  init(_ trials: [StoredTrial], metric: MetricGoal) {
    precondition(!trials.isEmpty, "a row without trials")
    method = trials[0].method
    parameters = trials[0].parameters
    parameterCount = Self.common(trials.map(\.result.parameterCount))
    stateSize = Self.common(trials.map(\.result.stateSize))
    seconds = trials.reduce(0) { $0 + $1.result.seconds }
    for trial in trials {
      statuses[trial.result.status, default: 0] += 1
      if metric.target != nil { observe(trial.result) }
    }
    let complete = trials.filter { $0.result.status == .complete }
    let others = Set(complete.flatMap { $0.result.metrics.map(\.name) }).subtracting([metric.name])
    for name in [metric.name] + others.sorted() {
      let key = Bootstrap.key(method: method, parameters: parameters, metric: name)
      let values = complete.compactMap { $0.value(of: name) }
      if let statistics = SampleStatistics(values, key: key) {
        metrics.append(MetricStatistics(name: name, statistics: statistics))
      }
    }
  }

  /// The number of finished trials.
  package var count: Int { statuses.values.reduce(0, +) }

  package func count(_ status: TrialStatus) -> Int { statuses[status] ?? 0 }

  package func statistics(of metric: String) -> SampleStatistics? {
    metrics.first { $0.name == metric }?.statistics
  }

  /// What did not complete, `1 diverged, 2 failed`; empty when all did.
  package var failures: String {
    TrialStatus.allCases.filter { $0 != .complete && count($0) > 0 }
      .map { "\(count($0)) \($0.words)" }.joined(separator: ", ")
  }

  /// A trial that reached the target counts as such however it ended; one that failed or diverged
  /// before never will; any other was watched until its end.
  private mutating func observe(_ result: TrialResult) {
    if let steps = result.stepsToTarget {
      stepsToTarget.reached(at: Double(steps))
      if let seconds = result.secondsToTarget { secondsToTarget.reached(at: seconds) }
      return
    }
    let isLost = result.status == .failed || result.status == .diverged
    stepsToTarget.censored(at: isLost ? .infinity : Double(result.steps))
    secondsToTarget.censored(at: isLost ? .infinity : result.seconds)
  }

  private static func common(_ values: [Int]) -> Int? {
    values.allSatisfy { $0 == values[0] } ? values[0] : nil
  }
}

/// The statistics of one metric.
package struct MetricStatistics: Hashable, Sendable {
  package let name: String
  package let statistics: SampleStatistics
}

extension TrialStatus {
  /// For reading: `timed out`.
  var words: String {
    switch self {
    case .complete: "complete"
    case .diverged: "diverged"
    case .failed: "failed"
    case .timedOut: "timed out"
    }
  }
}
