import MPI

/// A trial that has been taken from the source and has no result yet.
final class OpenTrial {
  let trial: Trial
  /// The number of its next lease, or of the present one.
  var attempt = 1
  var crashes = 0
  var divergences = 0
  var preemptions = 0
  /// Seconds over its former leases.
  var spentSeconds = 0.0
  var lastStep = 0
  /// It was among several leases of a worker that died, any of which may have killed it: it runs
  /// with no other in the worker's queue, so that the next death has one cause.
  var isSuspect = false
  var isFinished = false
  /// The lease under which it runs and the indices of the workers that have it, the lead of a team
  /// first; nil and none while it is pending.
  var lease: LeaseNumber?
  var holders: [Int] = []
  /// How many later trials have started before it while it waited.
  var overtakings = 0
  /// All its leases, the fenced ones too.
  var leases: [LeaseNumber] = []
  /// The same trial under other methods' names.
  var twins: [Trial] = []

  init(_ trial: Trial) { self.trial = trial }
}

/// What the coordinator knows of a worker.
struct WorkerRecord {
  enum Condition { case unheard, working, silent, left }

  struct Lease {
    let number: LeaseNumber
    let trial: OpenTrial
    /// The ranks of the team, this worker's among them; empty where it has the trial alone.
    let team: [Rank]
    /// The version of the last message that brought it, nil if none has yet or it was lost.
    var version: Int?
  }

  let rank: Rank
  var condition = Condition.unheard
  var lastHeard: Double
  /// In the order in which they run, which is that of their numbers.
  var leases: [Lease] = []
  /// When the first of them became the first.
  var headSince = 0.0
  /// Of the last lease message sent, and of the last one that the worker has seen.
  var version = 0
  var seen = 0
  var sentAt = 0.0
  var needsAnswer = false
  var progress: TrialProgress?

  var isAlive: Bool { condition == .unheard || condition == .working }
  var canWork: Bool { condition == .working }
  var isBusy: Bool { isAlive && !leases.isEmpty }

  init(rank: Rank, now: Double) {
    self.rank = rank
    lastHeard = now
  }
}
