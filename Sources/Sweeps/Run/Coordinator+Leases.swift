import MPI

extension Coordinator {
  /// Why a worker's leases go back to pending.
  enum Cause { case left, silent, stalled }

  // MARK: - Hearing from a worker

  func hear(from worker: Int, now: Double) {
    workers[worker].lastHeard = now
    switch workers[worker].condition {
    case .unheard: workers[worker].condition = .working
    case .silent:
      // Its leases are fenced; the answer to this message tells it so.
      workers[worker].condition = .working
      workers[worker].needsAnswer = true
      note("worker_returned", "", nil, workers[worker].rank, at: now)
    case .working, .left: break
    }
  }

  func beat(
    of worker: Int, seen: Int, holding: [LeaseNumber], progress: TrialProgress?, now: Double
  ) {
    workers[worker].progress = progress
    workers[worker].seen = max(workers[worker].seen, seen)
    workers[worker].needsAnswer = true
    if let progress, let head = workers[worker].leases.first, holding.first == head.number {
      head.trial.lastStep = progress.step
    }
    let held = Set(holding)
    let isOverdue =
      seen < workers[worker].version
      && now - workers[worker].sentAt >= options.beatSeconds
    for i in workers[worker].leases.indices where !held.contains(workers[worker].leases[i].number) {
      // It was in a message that the worker has seen or lost: send it again.
      guard let version = workers[worker].leases[i].version else { continue }
      if version <= seen || isOverdue { workers[worker].leases[i].version = nil }
    }
  }

  /// Takes note of how a lease ended; one that is fenced still counts if its trial is open.
  func end(_ outcome: Outcome, on worker: Int, now: Double) {
    guard let trial = leased[outcome.lease] else { return }
    let isCurrent = trial.lease == outcome.lease
    switch outcome.end {
    case .finished(var result):
      expect(outcome.elapsedSeconds)
      if result.status == .diverged, trial.divergences < options.retry.diverged {
        guard isCurrent else { return }
        trial.divergences += 1
        makePending(trial, after: outcome.elapsedSeconds, now: now)
        return
      }
      result.rank = workers[worker].rank
      finish(trial, with: result, now: now)
    case .preempted(let step), .yielded(let step):
      guard isCurrent else { return }
      trial.lastStep = step
      trial.preemptions += 1
      note("preempted", "at step \(step)", trial.trial.identity, workers[worker].rank, at: now)
      if let limit = options.retry.preempted, trial.preemptions > limit {
        fail(trial, .failed, "stopped \(trial.preemptions) times", worker: worker, now: now)
      } else {
        makePending(trial, after: outcome.elapsedSeconds, now: now)
      }
    case .abandoned:
      // A worker abandons what is fenced; a runner that does so unasked has crashed.
      guard isCurrent else { return }
      charge(trial, worker: worker, now: now)
    case .followed:
      guard isCurrent else { return }
      release(worker, from: trial, now: now)
    case .broken(let step, let reason):
      guard isCurrent else { return }
      trial.lastStep = step
      note("team_broken", "\(reason), at step \(step)", trial.trial.identity, worker + 1, at: now)
      if phase == .running {
        charge(trial, worker: worker, because: reason, now: now)
      } else {
        makePending(trial, after: outcome.elapsedSeconds, now: now)
      }
    }
  }

  /// Follows a rise of the seconds a trial takes at once and a fall slowly.
  private func expect(_ seconds: Double) {
    let known = expectedSeconds ?? seconds
    expectedSeconds = seconds > known ? seconds : known + 0.05 * (seconds - known)
  }

  // MARK: - Giving leases

  /// Gives trials to workers: one to each idle worker, then short ones to fill the queues.
  func assign(now: Double) {
    if options.hasTeams { return assignTeams(now: now) }
    for i in workers.indices where workers[i].canWork && workers[i].leases.isEmpty {
      guard let trial = nextSuspect() ?? nextPending() ?? nextSuspect() else { return }
      lease(trial, to: [i], now: now)
    }
    // The queues run empty while a suspect waits for an idle worker.
    guard let seconds = expectedSeconds, suspects.isEmpty else { return }
    let depth = min(options.queueLimit, Int(options.queueSeconds / max(seconds, 1e-9)))
    for i in workers.indices where workers[i].canWork {
      guard workers[i].leases.count <= depth / 2, workers[i].leases.first?.trial.isSuspect != true
      else { continue }
      while workers[i].leases.count < depth {
        guard let trial = nextPending() else { return }
        lease(trial, to: [i], now: now)
      }
    }
  }

  func nextSuspect() -> OpenTrial? {
    while !suspects.isEmpty {
      let trial = suspects.removeFirst()
      if !trial.isFinished { return trial }
    }
    return nil
  }

  /// Gives `trial` to a worker, or to a team with the lead first.
  func lease(_ trial: OpenTrial, to team: [Int], now: Double) {
    nextLease += 1
    trial.lease = nextLease
    trial.holders = team
    trial.leases.append(nextLease)
    leased[nextLease] = trial
    let ranks = team.count > 1 ? team.map { workers[$0].rank } : []
    for worker in team {
      if workers[worker].leases.isEmpty {
        workers[worker].headSince = now
        workers[worker].progress = nil
      }
      workers[worker].leases.append(
        WorkerRecord.Lease(number: nextLease, trial: trial, team: ranks))
    }
    if !ranks.isEmpty || (expectedSeconds ?? options.queueSeconds) >= options.queueSeconds {
      let others = ranks.isEmpty ? "" : ", ranks " + ranks.map(String.init).joined(separator: " ")
      note(
        "leased", "attempt \(trial.attempt)\(others)", trial.trial.identity,
        workers[team[0]].rank, at: now)
    }
  }

  // MARK: - Taking leases back

  /// Takes the present lease of `trial`, if it has one, from the workers that have it.
  func revoke(_ trial: OpenTrial, now: Double) {
    for worker in trial.holders { release(worker, from: trial, now: now) }
    trial.lease = nil
  }

  /// Takes the present lease of `trial` from one of its workers.
  private func release(_ worker: Int, from trial: OpenTrial, now: Double) {
    trial.holders.removeAll { $0 == worker }
    guard let number = trial.lease,
      let j = workers[worker].leases.firstIndex(where: { $0.number == number })
    else { return }
    workers[worker].leases.remove(at: j)
    workers[worker].needsAnswer = true
    if j == 0 {
      workers[worker].headSince = now
      workers[worker].progress = nil
    }
  }

  /// The lease of `trial` was used and is over; it goes on under another.
  private func makePending(_ trial: OpenTrial, after seconds: Double, now: Double) {
    revoke(trial, now: now)
    trial.spentSeconds += seconds
    trial.attempt += 1
    if trial.isSuspect { suspects.append(trial) } else { returned.append(trial) }
  }

  /// `trial` was alone on a worker that died, or its team came apart: within the budget it goes on
  /// elsewhere.
  private func charge(
    _ trial: OpenTrial, worker: Int, because reason: String? = nil, now: Double
  ) {
    trial.crashes += 1
    note("crashed", reason ?? "", trial.trial.identity, workers[worker].rank, at: now)
    guard trial.crashes <= options.retry.crash else {
      let times = trial.crashes == 1 ? "once" : "\(trial.crashes) times"
      fail(
        trial, .failed,
        reason.map { "the team came apart \(times), at last: \($0)" }
          ?? "the worker died \(times) while running it",
        worker: worker, now: now)
      return
    }
    makePending(trial, after: max(0, now - workers[worker].headSince), now: now)
  }

  private func fail(
    _ trial: OpenTrial, _ status: TrialStatus, _ reason: String, worker: Int, now: Double
  ) {
    var result = TrialResult(status: status, steps: trial.lastStep)
    result.reason = reason
    result.seconds = trial.spentSeconds + max(0, now - workers[worker].headSince)
    result.startedAt = now - result.seconds
    result.finishedAt = now
    result.rank = workers[worker].rank
    finish(trial, with: result, now: now)
  }

  /// Fences every lease of a worker that is gone, or all but the first of one that is stalled.
  func giveBack(leasesOf worker: Int, cause: Cause, now: Double) {
    let kept = cause == .stalled ? 1 : 0
    let lost = workers[worker].leases.dropFirst(kept).map(\.trial)
    guard !lost.isEmpty else { return }
    if cause == .silent, lost.count == 1, let trial = lost.first {
      let team = trial.holders.map { String(workers[$0].rank) }.joined(separator: " ")
      note(
        "lease_expired", trial.holders.count > 1 ? "ranks \(team), at step \(trial.lastStep)" : "",
        trial.trial.identity, workers[worker].rank, at: now)
      charge(trial, worker: worker, now: now)
      return
    }
    for trial in lost {
      note("lease_expired", "", trial.trial.identity, workers[worker].rank, at: now)
      if cause == .silent { trial.isSuspect = true }
      revoke(trial, now: now)
      if trial.isSuspect { suspects.append(trial) } else { returned.append(trial) }
    }
  }

  func loseTheSilent(now: Double) {
    for i in workers.indices
    where workers[i].isAlive && now - workers[i].lastHeard > options.silenceSeconds {
      note("worker_lost", "silent for \(Int(now - workers[i].lastHeard)) s", nil, i + 1, at: now)
      workers[i].condition = .silent
      giveBack(leasesOf: i, cause: .silent, now: now)
    }
  }

  /// Trials queued behind one that turns out to be long go elsewhere.
  ///
  /// The worker must have been heard since: of one that may be dead nobody knows what it runs.
  func takeBackStalledQueues(now: Double) {
    for i in workers.indices where workers[i].leases.count > 1 {
      let seconds = workers[i].lastHeard - workers[i].headSince
      guard seconds > 10 * options.queueSeconds else { continue }
      expectedSeconds = max(expectedSeconds ?? 0, seconds)
      giveBack(leasesOf: i, cause: .stalled, now: now)
    }
  }

  func enforceTimeLimit(now: Double) {
    guard let limit = options.timeLimitSeconds else { return }
    for i in workers.indices {
      guard let head = workers[i].leases.first?.trial,
        head.spentSeconds + (now - workers[i].headSince) > limit
      else { continue }
      fail(head, .timedOut, "took longer than \(limit) s", worker: i, now: now)
    }
  }
}
