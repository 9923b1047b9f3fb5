import MPI

/// What a worker holds and owes: a pure state machine, beside which the worker only runs trials.
///
/// Every message that it writes can be lost: it beats, and with each beat says again what has not
/// been acknowledged.
package struct WorkerState {
  package struct Options: Sendable {
    package var beatSeconds = 1.0
    /// A coordinator that has been silent for so long is gone, and the worker ends.
    package var silenceSeconds = 60.0
    /// Outcomes of short trials wait so long for others to travel with, and so many do.
    package var gatherSeconds = 0.0005
    package var gatherLimit = 64

    package init() {}
  }

  package enum Ending: Sendable {
    /// The coordinator said goodbye.
    case dismissed(finalizes: Bool)
    case coordinatorLost
  }

  private let options: Options
  /// In order of lease; what stands before `next` has been taken up.
  private var queue: [Assignment] = []
  private var next = 0
  package private(set) var running: Assignment?
  /// The lease of `running` is over: the coordinator has the trial elsewhere.
  private var isRevoked = false
  /// Ended and not acknowledged, in order of lease; the last `unsent` of them have not been sent.
  private var ended: [Outcome] = []
  private var unsent = 0
  private var seen = 0
  private var isStopping = false
  private var hasLeft = false
  private var lastBeat = -Double.infinity
  private var lastReport = -Double.infinity
  private var lastHeard: Double
  private var lastPass: Double
  package var progress: TrialProgress?
  package private(set) var ending: Ending?

  package init(options: Options = Options(), now: Double) {
    self.options = options
    lastHeard = now
    lastPass = now
  }

  // MARK: - Input

  package mutating func receive(_ message: ToWorker, now: Double) {
    lastHeard = now
    switch message {
    case .lease(let version, let keep, let new):
      guard version > seen else { return }
      seen = version
      let kept = Set(keep)
      forget { !kept.contains($0) }
      guard !isStopping else { return }
      let held = Set(holding)
      for assignment in new where !held.contains(assignment.lease) { queue.append(assignment) }
      let inOrder = zip(queue, queue.dropFirst()).allSatisfy { $0.lease < $1.lease }
      if !inOrder { queue.sort { $0.lease < $1.lease } }
    case .stop: stop()
    case .goodbye(let finalizes):
      stop()
      ending = .dismissed(finalizes: finalizes)
    }
  }

  /// Nothing more is taken up; what runs is to write a checkpoint and end.
  package mutating func stop() {
    guard !isStopping else { return }
    isStopping = true
    queue.removeAll()
    next = 0
  }

  /// Ends if nothing has been heard for too long; time in which this process stood still, in a long
  /// step or stopped from outside, is not the coordinator's silence.
  package mutating func passTime(now: Double) {
    let passed = now - lastPass
    if passed > options.beatSeconds { lastHeard += passed - options.beatSeconds }
    lastPass = now
    if ending == nil, now - lastHeard > options.silenceSeconds {
      stop()
      ending = .coordinatorLost
    }
  }

  private mutating func forget(where isOver: (LeaseNumber) -> Bool) {
    queue.removeFirst(next)
    next = 0
    queue.removeAll { isOver($0.lease) }
    let waiting = ended.suffix(unsent)
    // What has not been sent is sent once all the same: the trial may still be open.
    ended = ended.dropLast(unsent).filter { !isOver($0.lease) } + waiting
    if let running, isOver(running.lease) { isRevoked = true }
  }

  /// All leases that the coordinator may take for this worker's, in order.
  private var holding: [LeaseNumber] {
    ended.map(\.lease) + (running.map { [$0.lease] } ?? []) + queue[next...].map(\.lease)
  }

  // MARK: - Trials

  /// What the running trial is to do.
  package var directive: Directive {
    if isRevoked { return .abandon }
    return isStopping ? .stop : .proceed
  }

  /// Takes up the next trial of the queue.
  package mutating func begin() -> Assignment? {
    guard running == nil, next < queue.count, ending == nil else { return nil }
    running = queue[next]
    next += 1
    isRevoked = false
    progress = nil
    return running
  }

  /// The running trial has ended; a result counts even if the lease has been revoked.
  ///
  /// A runner that is preempted unasked cannot go on at this place (its files cannot be written), and the
  /// worker leaves.
  package mutating func end(_ end: TrialOutcome, elapsedSeconds: Double) {
    guard let running else { return }
    self.running = nil
    progress = nil
    if case .preempted = end { stop() }
    if case .abandoned = end, isRevoked { return }
    ended.append(Outcome(lease: running.lease, elapsedSeconds: elapsedSeconds, end: end))
    unsent += 1
  }

  /// How the running trial ends whose team has not come together.
  package func outcome(ofTeam team: [Rank], failing error: any Error) -> TrialOutcome {
    switch directive {
    case .abandon: .abandoned
    case .stop: .yielded(step: 0)
    case .proceed, .checkpoint: .broken(step: 0, reason: "\(error)")
    }
  }

  // MARK: - Output

  package var isIdle: Bool { running == nil && next == queue.count }

  /// The messages that are due.
  package mutating func takeMessages(now: Double) -> [FromWorker] {
    var messages: [FromWorker] = []
    let beats = now - lastBeat >= options.beatSeconds
    if beats { unsent = ended.count }
    if unsent > 0,
      beats || isIdle || unsent >= options.gatherLimit
        || now - lastReport >= options.gatherSeconds
    {
      messages.append(.outcomes(Array(ended.suffix(unsent))))
      unsent = 0
      lastReport = now
    }
    let leaves = isStopping && running == nil
    if beats || leaves && !hasLeft {
      lastBeat = now
      hasLeft = leaves
      messages.append(
        leaves ? .left : .beat(seen: seen, holding: holding, progress: progress))
    }
    return messages
  }
}
