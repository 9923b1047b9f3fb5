import MPI

/// Where a run stands, for people; it counts only what is durable.
package struct RunStatus: Sendable {
  /// All trials of the sweep, if known.
  package var total: Int?
  package var complete = 0
  package var diverged = 0
  package var failed = 0
  package var timedOut = 0
  /// Of these, what was finished by this run and not by an earlier one.
  package var finishedHere = 0
  /// Seconds since 1970.
  package var startedAt: Double
  package var now: Double
  package var workers = 0
  package var busyWorkers = 0
  package var lostWorkers = 0
  /// Worker-seconds spent with a trial, and those there were.
  package var busySeconds = 0.0
  package var workerSeconds = 0.0
  /// The sum, over running trials, of the part that is done.
  package var partsDone = 0.0
  /// The best value of the sweep's metric over complete trials, and the trial's method.
  package var best: (value: Double, name: String, method: String)?
  package var isStopping = false

  package init(total: Int?, startedAt: Double) {
    self.total = total
    self.startedAt = startedAt
    now = startedAt
  }

  package var done: Int { complete + diverged + failed + timedOut }
  package var unsuccessful: Int { diverged + failed + timedOut }
  package var elapsedSeconds: Double { now - startedAt }

  /// Share of the workers' time spent with trials, in [0, 1].
  package var utilisation: Double { workerSeconds > 0 ? busySeconds / workerSeconds : 0 }

  package var trialsPerMinute: Double {
    elapsedSeconds > 0 ? 60 * Double(finishedHere) / elapsedSeconds : 0
  }

  /// Seconds to the end at the mean rate so far, running trials counted in part; nil if unknown.
  package var remainingSeconds: Double? {
    let doneHere = Double(finishedHere) + partsDone
    guard let total, doneHere > 0, elapsedSeconds > 0 else { return nil }
    let left = max(0, Double(total - done) - partsDone)
    return left * elapsedSeconds / doneHere
  }

  mutating func count(_ status: TrialStatus) {
    switch status {
    case .complete: complete += 1
    case .diverged: diverged += 1
    case .failed: failed += 1
    case .timedOut: timedOut += 1
    }
  }

  mutating func count(_ result: TrialResult, of trial: Trial) {
    count(result.status)
    finishedHere += 1
    let metric = trial.configuration.metric
    guard result.status == .complete,
      let value = result.metrics.first(where: { $0.name == metric.name })?.value, value.isFinite
    else { return }
    let isBetter = best.map {
      metric.direction == .maximize ? value > $0.value : value < $0.value
    }
    if isBetter ?? true { best = (value, metric.name, trial.method) }
  }
}
