import MPI
import Sweeps

/// A coordinator with everything around it under control.
final class CoordinatorBench {
  let sink: MemorySink
  let coordinator: Coordinator
  var now = 100.0
  var sent: [(ToWorker, to: Rank)] = []
  /// What each worker was told to hold last, and all that it was ever given.
  var keep: [Rank: [LeaseNumber]] = [:]
  var version: [Rank: Int] = [:]
  var given: [Rank: [Assignment]] = [:]

  init(
    trials: Int = 3, workers: Int = 2, sink: MemorySink = MemorySink(),
    source: [Trial]? = nil, _ change: (inout Coordinator.Options) -> Void = { _ in }
  ) {
    var options = Coordinator.Options()
    change(&options)
    self.sink = sink
    coordinator = Coordinator(
      source: ListedTrials(source ?? (0..<trials).map { numberedTrial($0) }), sink: sink,
      workerCount: workers, incarnation: 1, options: options, now: now)
  }

  /// Time passes; messages are taken note of.
  func tick(after seconds: Double = 0) {
    now += seconds
    coordinator.tick(now: now)
    sent = coordinator.takeMessages()
    for case (.lease(let version, let keep, let new), let rank) in sent {
      self.keep[rank] = keep
      self.version[rank] = version
      given[rank, default: []] += new
    }
  }

  /// The worker says that it holds what it was given, or `holding`.
  func beat(_ rank: Rank, holding: [LeaseNumber]? = nil, seen: Int? = nil) {
    coordinator.receive(
      .beat(
        seen: seen ?? version[rank] ?? 0, holding: holding ?? keep[rank] ?? [], progress: nil),
      from: rank, now: now)
  }

  func end(_ rank: Rank, _ lease: LeaseNumber, _ end: TrialOutcome, elapsed: Double = 1) {
    let outcome = Outcome(lease: lease, elapsedSeconds: elapsed, end: end)
    coordinator.receive(.outcomes([outcome]), from: rank, now: now)
  }

  func result(_ number: Int) -> TrialResult? {
    let identity = numberedTrial(number).identity
    return sink.appended[identity] ?? sink.durable[identity]
  }

  /// The lease that the worker was given last.
  func lease(_ rank: Rank) -> LeaseNumber { given[rank]?.last?.lease ?? 0 }
  func trial(_ rank: Rank) -> Int? { given[rank]?.last?.trial.seed }
}
