import MPI

/// Hands the trials of a sweep to workers and sees to it that each gets exactly one result.
///
/// A pure state machine: messages, the time and the request to stop go in, messages come out of
/// `takeMessages`; its only other effect is on the `ResultSink`. It survives lost, repeated, late and
/// overtaken messages, and workers that die, fall silent and come back.
///
/// A trial is pending, leased or finished. A lease given to a worker that has been silent for too
/// long is fenced: its trial is pending again, and a late result counts only if there is none yet.
package final class Coordinator {
  package struct Options: Sendable {
    /// How often a worker beats.
    package var beatSeconds = 1.0
    /// The silence after which a worker is taken for dead: no step of a trial may take longer.
    package var silenceSeconds = 30.0
    /// The first result that is not durable waits at most this long.
    package var commitSeconds = 0.05
    /// How long workers may take to write their checkpoints and leave.
    package var stopSeconds = 60.0
    /// How long they may take to leave when all is done.
    package var leaveSeconds = 5.0
    /// A trial may take so long over all its attempts.
    package var timeLimitSeconds: Double?
    /// A worker's queue holds short trials for this time, and this many at most.
    package var queueSeconds = 0.05
    package var queueLimit = 256
    package var retry = RetryBudget()
    /// Whether some trials ask for several ranks.
    package var hasTeams = false
    /// The node of each worker; nil for one node.
    package var nodes: [Int]?

    package init() {}
  }

  package enum Phase: Equatable, Sendable {
    case running
    /// Workers are leaving, because all is done or because of a request to stop.
    case stopping(isInterrupted: Bool, deadline: Double)
    case ended(ExitStatus)
  }

  package private(set) var phase = Phase.running
  package var status: RunStatus
  /// The failure of the sink that ended the run.
  package var failure: (any Error)?
  /// Whether every worker has left in good order, so that MPI can be finalized.
  package var isTogether: Bool { workers.allSatisfy { $0.condition == .left } }

  let options: Options
  let sink: any ResultSink
  private let source: any TrialSource
  var nextLease: LeaseNumber
  var workers: [WorkerRecord]
  /// Every lease of a trial that is open, the fenced ones too.
  var leased: [LeaseNumber: OpenTrial] = [:]
  var open: [TrialIdentity: OpenTrial] = [:]
  /// Pending trials that have been leased before; suspects apart.
  var returned: [OpenTrial] = []
  var suspects: [OpenTrial] = []
  /// Where there are teams, the pending trials that are next, in the order in which they came.
  var waiting: [OpenTrial] = []
  /// How long a trial takes, of late; nil before the first has ended.
  var expectedSeconds: Double?
  private var outbox: [(ToWorker, to: Rank)] = []
  private var uncommitted: [(Trial, TrialResult)] = []
  private var uncommittedStatuses: [TrialStatus] = []
  private var uncommittedSince: Double?
  private var announcements: [(Trial, TrialResult)] = []
  /// Of earlier runs: how often a trial crashed, and which were among the leases of a dead worker.
  private let formerCrashes: [TrialIdentity: Int]
  private let formerSuspects: [TrialIdentity: Int]
  private var lastTick: Double
  /// When a worker was last known to live.
  private var lastAlive: Double

  /// The workers are ranks 1 to `workerCount`; `incarnation` grows with each start of the job.
  package init(
    source: any TrialSource, sink: any ResultSink, workerCount: Int, incarnation: Int,
    options: Options = Options(), now: Double
  ) {
    self.source = source
    self.sink = sink
    self.options = options
    workers = (0..<workerCount).map { WorkerRecord(rank: $0 + 1, now: now) }
    nextLease = LeaseNumber(incarnation) << 40
    formerCrashes = sink.eventCounts(of: "crashed")
    formerSuspects = sink.eventCounts(of: "lease_expired")
    lastTick = now
    lastAlive = now
    status = RunStatus(total: source.count, startedAt: now)
    status.workers = workerCount
    note("started", "\(workerCount) workers, incarnation \(incarnation)", at: now)
  }

  // MARK: - Input

  package func receive(_ message: FromWorker, from rank: Rank, now: Double) {
    guard workers.indices.contains(rank - 1) else { return }
    hear(from: rank - 1, now: now)
    switch message {
    case .beat(let seen, let holding, let progress):
      beat(of: rank - 1, seen: seen, holding: holding, progress: progress, now: now)
    case .outcomes(let outcomes):
      for outcome in outcomes { end(outcome, on: rank - 1, now: now) }
      workers[rank - 1].needsAnswer = true
    case .left:
      giveBack(leasesOf: rank - 1, cause: .left, now: now)
      workers[rank - 1].condition = .left
    }
  }

  /// Has all workers write a checkpoint and leave; the run ends as interrupted.
  package func requestStop(because reason: String, now: Double) {
    guard phase == .running else { return }
    note("interrupted", reason, at: now)
    beginStopping(isInterrupted: true, now: now)
  }

  /// Does what the passing of time asks for; to be called after the messages that are there.
  package func tick(now: Double) {
    if case .ended = phase { return }
    passTime(now: now)
    loseTheSilent(now: now)
    if phase == .running {
      enforceTimeLimit(now: now)
      takeBackStalledQueues(now: now)
      assign(now: now)
    }
    commitIfDue(now: now)
    advance(now: now)
    writeLeaseMessages(now: now)
  }

  // MARK: - Output

  /// The messages to send, in order.
  package func takeMessages() -> [(ToWorker, to: Rank)] {
    defer { outbox.removeAll(keepingCapacity: true) }
    return outbox
  }

  /// What has become durable since the last call and is worth a line: failures of any kind.
  package func takeAnnouncements() -> [(Trial, TrialResult)] {
    defer { announcements.removeAll() }
    return announcements
  }

  // MARK: - Results

  /// The next trial that has neither a result nor a lease; suspects are put aside.
  func nextPending() -> OpenTrial? {
    while !returned.isEmpty {
      let trial = returned.removeFirst()
      if !trial.isFinished { return trial }
    }
    return nextOfSource()
  }

  private func nextOfSource() -> OpenTrial? {
    while let trial = source.next() {
      if let known = sink.status(of: trial.identity) {
        adopt(trial, as: known)
      } else if let twin = open[trial.identity] {
        twin.twins.append(trial)
      } else {
        let new = OpenTrial(trial)
        new.crashes = formerCrashes[trial.identity] ?? 0
        new.isSuspect = formerSuspects[trial.identity] != nil
        open[trial.identity] = new
        if !new.isSuspect { return new }
        suspects.append(new)
      }
    }
    return nil
  }

  /// Counts a trial whose result is known; `tick` makes it durable.
  private func adopt(_ trial: Trial, as known: TrialStatus) {
    sink.adopt(trial)
    uncommittedStatuses.append(known)
    uncommittedSince = uncommittedSince ?? lastTick
  }

  /// Records the one result of `trial` and fences whatever lease it still has.
  func finish(_ trial: OpenTrial, with result: TrialResult, now: Double) {
    trial.isFinished = true
    open[trial.trial.identity] = nil
    for lease in trial.leases { leased[lease] = nil }
    revoke(trial, now: now)
    guard sink.status(of: trial.trial.identity) == nil else { return }
    var result = result
    result.attempt = trial.attempt
    sink.append(result, of: trial.trial)
    uncommitted.append((trial.trial, result))
    uncommittedSince = uncommittedSince ?? now
    for twin in trial.twins { adopt(twin, as: result.status) }
    if result.status != .complete || result.seconds >= options.queueSeconds {
      note(
        "finished", result.reason ?? result.status.rawValue, trial.trial.identity, result.rank,
        at: now)
    }
  }

  private func commitIfDue(now: Double) {
    guard failure == nil, let since = uncommittedSince,
      now - since >= options.commitSeconds || open.isEmpty || phase != .running
    else { return }
    commit(now: now)
  }

  private func commit(now: Double) {
    do {
      try sink.commit()
    } catch {
      failure = error
      if phase == .running { beginStopping(isInterrupted: true, now: now) }
      return
    }
    for (trial, result) in uncommitted {
      status.count(result, of: trial)
      if result.status != .complete { announcements.append((trial, result)) }
    }
    for known in uncommittedStatuses { status.count(known) }
    uncommitted.removeAll(keepingCapacity: true)
    uncommittedStatuses.removeAll(keepingCapacity: true)
    uncommittedSince = nil
  }

  func note(
    _ kind: String, _ detail: String = "", _ identity: TrialIdentity? = nil, _ rank: Rank? = nil,
    at now: Double
  ) {
    sink.append(
      SweepEvent(time: now, kind: kind, identity: identity, rank: rank, detail: detail))
  }

  // MARK: - Phases

  private func passTime(now: Double) {
    let passed = max(0, now - lastTick)
    // Time in which this process itself stood still is nobody's silence.
    if passed > options.beatSeconds {
      for i in workers.indices { workers[i].lastHeard += passed - options.beatSeconds }
    }
    lastTick = now
    let alive = workers.filter(\.isAlive)
    if !alive.isEmpty { lastAlive = now }
    status.now = now
    status.lostWorkers = workers.count { $0.condition == .silent }
    status.workers = alive.count
    status.busyWorkers = alive.count { !$0.leases.isEmpty }
    status.busySeconds += passed * Double(status.busyWorkers)
    status.workerSeconds += passed * Double(alive.count)
    status.partsDone = alive.reduce(0) { sum, worker in
      guard let progress = worker.progress, progress.totalSteps > 0,
        let holders = worker.leases.first?.trial.holders
      else { return sum }
      // Each rank of a team tells of the same trial.
      return sum
        + min(1, Double(progress.step) / Double(progress.totalSteps))
        / Double(max(holders.count, 1))
    }
  }

  private func beginStopping(isInterrupted: Bool, now: Double) {
    let patience = isInterrupted ? options.stopSeconds : options.leaveSeconds
    phase = .stopping(isInterrupted: isInterrupted, deadline: now + patience)
    status.isStopping = isInterrupted
    for i in workers.indices where workers[i].condition != .left { sendStop(to: i, now: now) }
  }

  private func sendStop(to worker: Int, now: Double) {
    outbox.append((.stop, to: workers[worker].rank))
    workers[worker].sentAt = now
  }

  private func advance(now: Double) {
    switch phase {
    case .running:
      if open.isEmpty, uncommittedSince == nil {
        // All that the source had was leased and has ended: `assign` found nothing more.
        guard sourceIsExhausted, open.isEmpty else { return }
        note("completed", at: now)
        beginStopping(isInterrupted: false, now: now)
      } else if workers.allSatisfy({ $0.condition == .left }) {
        requestStop(because: "every worker has left", now: now)
      } else if now - lastAlive > options.silenceSeconds {
        // The silent ones have had the same time again to come back.
        requestStop(because: "no worker is alive", now: now)
      }
    case .stopping(let isInterrupted, let deadline):
      for i in workers.indices
      where workers[i].condition != .left && now - workers[i].sentAt >= options.beatSeconds {
        sendStop(to: i, now: now)
      }
      guard now >= deadline || !workers.contains(where: \.isAlive) else { return }
      end(isInterrupted: isInterrupted, now: now)
    case .ended: return
    }
  }

  private var sourceIsExhausted: Bool {
    guard waiting.allSatisfy(\.isFinished) else { return false }
    guard let trial = nextPending() else { return true }
    returned.insert(trial, at: 0)
    return false
  }

  private func end(isInterrupted: Bool, now: Double) {
    let remains = isInterrupted && !(sourceIsExhausted && open.isEmpty)
    if failure == nil { commit(now: now) }
    for worker in workers { outbox.append((.goodbye(finalizes: isTogether), to: worker.rank)) }
    if failure != nil {
      phase = .ended(.directoryUnusable)
    } else if remains {
      phase = .ended(.interrupted)
    } else {
      phase = .ended(status.unsuccessful > 0 ? .someFailed : .complete)
    }
  }

  /// One message to each worker that awaits an answer or has leases that it has not been sent.
  private func writeLeaseMessages(now: Double) {
    guard phase == .running else { return }
    for i in workers.indices where workers[i].canWork {
      let unsent = workers[i].leases.indices.filter { workers[i].leases[$0].version == nil }
      guard workers[i].needsAnswer || !unsent.isEmpty else { continue }
      workers[i].needsAnswer = false
      workers[i].version += 1
      workers[i].sentAt = now
      var new: [Assignment] = []
      new.reserveCapacity(unsent.count)
      for j in unsent {
        workers[i].leases[j].version = workers[i].version
        let lease = workers[i].leases[j]
        new.append(
          Assignment(
            lease: lease.number, attempt: lease.trial.attempt, trial: lease.trial.trial,
            team: lease.team))
      }
      let message = ToWorker.lease(
        version: workers[i].version, keep: workers[i].leases.map(\.number), new: new)
      outbox.append((message, to: workers[i].rank))
    }
  }
}
