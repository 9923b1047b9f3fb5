import MemoryNets
import Sweeps

/// A trial that is nothing but its number.
func numberedTrial(_ number: Int, method: String = "lstm", ranks: Int = 1) -> Trial {
  Trial(
    identity: TrialIdentity(high: 0xabc, low: UInt64(number)), method: method,
    parameters: [TrialParameter(path: "model.hidden_size", value: .integer(50))],
    configuration: TrialConfiguration(
      task: ["kind": .string("copy")], model: ["hidden_size": .integer(50)],
      train: ["learning_rate": .number(1e-3)], seed: number,
      metric: MetricGoal(name: "validation.accuracy", direction: .maximize)),
    ranks: ranks)
}

func completeResult(accuracy: Double = 0.5, seconds: Double = 0) -> TrialResult {
  var result = TrialResult(status: .complete, steps: 10)
  result.metrics = [MetricPoint(step: 10, name: "validation.accuracy", value: accuracy)]
  result.seconds = seconds
  return result
}

final class ListedTrials: TrialSource {
  private let trials: [Trial]
  private var given = 0
  var count: Int? { trials.count }

  init(_ trials: [Trial]) { self.trials = trials }

  func next() -> Trial? {
    guard given < trials.count else { return nil }
    defer { given += 1 }
    return trials[given]
  }
}

/// A sink whose durable part survives `crash`.
final class MemorySink: ResultSink {
  struct Full: Error {}

  private(set) var durable: [TrialIdentity: TrialResult] = [:]
  private(set) var appended: [TrialIdentity: TrialResult] = [:]
  private(set) var adopted: [Trial] = []
  private(set) var events: [SweepEvent] = []
  private(set) var commits = 0
  private var durableEvents = 0
  /// Trials that were given a second result.
  private(set) var duplicates: [TrialIdentity] = []
  var isFull = false

  func status(of identity: TrialIdentity) -> TrialStatus? {
    (appended[identity] ?? durable[identity])?.status
  }

  func append(_ result: TrialResult, of trial: Trial) {
    if status(of: trial.identity) != nil { duplicates.append(trial.identity) }
    appended[trial.identity] = result
  }

  func adopt(_ trial: Trial) { adopted.append(trial) }

  func append(_ event: SweepEvent) { events.append(event) }

  func commit() throws {
    if isFull { throw Full() }
    commits += 1
    durableEvents = events.count
    durable.merge(appended) { first, _ in first }
    appended.removeAll()
  }

  /// The machine stops: what was not committed is gone.
  func crash() {
    appended.removeAll()
    events.removeLast(events.count - durableEvents)
  }

  func eventCounts(of kind: String) -> [TrialIdentity: Int] {
    var counts: [TrialIdentity: Int] = [:]
    for event in events where event.kind == kind {
      if let identity = event.identity { counts[identity, default: 0] += 1 }
    }
    return counts
  }

  func eventKinds(of identity: TrialIdentity? = nil) -> [String] {
    events.filter { identity == nil || $0.identity == identity }.map(\.kind)
  }
}
