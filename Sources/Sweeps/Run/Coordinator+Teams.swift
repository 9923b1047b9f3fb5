import MPI
import MemoryNets

/// Trials of several ranks beside trials of one.
///
/// Trials wait in the order in which they came. Whenever workers are idle, the largest team that
/// they make up goes first, the earlier of two equal ones: so the workers of a team that has
/// ended are the next team, and trials of one rank take what is left over. A trial that has been
/// passed over often enough gets the next workers that become idle, which wait for it together.
extension Coordinator {
  /// Trials that are looked at to find one that fits, and how often one can be passed over.
  var overtakings: Int { min(max(64, 2 * workers.count), 1024) }

  /// The ranks that train `trial` if it starts now.
  ///
  /// Teams are smaller than asked for where too few workers are alive, unless the number of ranks is
  /// part of what the trial is.
  private func teamSize(of trial: OpenTrial, alive: Int) -> Int {
    guard trial.trial.configuration.sharing.reduction == .reproducible else {
      return trial.trial.ranks
    }
    return min(trial.trial.ranks, 1 << (Int.bitWidth - 1 - max(1, alive).leadingZeroBitCount))
  }

  /// Gives waiting trials to idle workers until none fits.
  func assignTeams(now: Double) {
    var idle = workers.indices.filter { workers[$0].canWork && workers[$0].leases.isEmpty }
    let alive = workers.count(where: \.isAlive)
    while !idle.isEmpty {
      waiting.removeAll(where: \.isFinished)
      // What has run before goes on first.
      waiting.insert(contentsOf: returned.filter { !$0.isFinished }, at: 0)
      returned.removeAll()
      while waiting.count < overtakings,
        let trial = nextSuspect() ?? nextPending() ?? nextSuspect()
      {
        waiting.append(trial)
      }
      guard let index = nextFitting(idle.count, alive: alive) else { break }
      for earlier in waiting[..<index] { earlier.overtakings += 1 }
      let trial = waiting.remove(at: index)
      let team = team(of: teamSize(of: trial, alive: alive), from: idle)
      lease(trial, to: team, now: now)
      idle.removeAll { team.contains($0) }
    }
    stopIfStranded(alive: alive, now: now)
  }

  /// The place of the waiting trial that is next, if it fits `count` workers.
  private func nextFitting(_ count: Int, alive: Int) -> Int? {
    let entitled = waiting.firstIndex {
      $0.overtakings >= overtakings && teamSize(of: $0, alive: alive) <= alive
    }
    if let entitled {
      return teamSize(of: waiting[entitled], alive: alive) <= count ? entitled : nil
    }
    var best: (index: Int, size: Int)?
    for (index, trial) in waiting.enumerated() {
      let size = teamSize(of: trial, alive: alive)
      if size <= count, size > best?.size ?? 0 { best = (index, size) }
    }
    return best?.index
  }

  /// `size` of the idle workers, of one node if it can be: of the one that has the fewest to spare.
  private func team(of size: Int, from idle: [Int]) -> [Int] {
    guard size > 1 else { return [idle[0]] }
    let nodes = Dictionary(grouping: idle) { options.nodes?[$0] ?? 0 }
    let roomy = nodes.filter { $0.value.count >= size }
    if let node = roomy.min(by: { ($0.value.count, $0.key) < ($1.value.count, $1.key) }) {
      return Array(node.value.prefix(size))
    }
    // Of several nodes, those with most first.
    let ordered = nodes.sorted { (-$0.value.count, $0.key) < (-$1.value.count, $1.key) }
    return Array(ordered.flatMap(\.value).prefix(size))
  }

  /// Ends the run when nothing runs and every trial that waits asks for more ranks than are left.
  private func stopIfStranded(alive: Int, now: Double) {
    guard let first = waiting.first,
      !workers.contains(where: { $0.isBusy || $0.condition == .unheard })
    else { return }
    guard alive > 0, waiting.allSatisfy({ teamSize(of: $0, alive: alive) > alive }) else { return }
    requestStop(
      because: "a trial of \(first.trial.method) needs \(first.trial.ranks) ranks and \(alive)"
        + " are left", now: now)
  }
}
