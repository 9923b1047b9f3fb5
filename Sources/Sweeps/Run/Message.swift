import MPI

/// The number of a lease: the incarnation of the job in the upper 24 bits, a count in the lower 40.
///
/// Never used twice, so that a message about a lease of a dead incarnation is known for what it is.
package typealias LeaseNumber = UInt64

/// A trial lent to a worker.
package struct Assignment: Hashable, Sendable {
  package let lease: LeaseNumber
  /// Counts the leases of the trial, from 1.
  package let attempt: Int
  package let trial: Trial
  /// The ranks that train it together, the lead first; empty for one alone.
  package let team: [Rank]

  package init(lease: LeaseNumber, attempt: Int, trial: Trial, team: [Rank] = []) {
    self.lease = lease
    self.attempt = attempt
    self.trial = trial
    self.team = team
  }
}

/// How a lease ended.
package struct Outcome: Sendable {
  package let lease: LeaseNumber
  /// From taking up the trial to its end, on this worker.
  package let elapsedSeconds: Double
  package let end: TrialOutcome

  package init(lease: LeaseNumber, elapsedSeconds: Double, end: TrialOutcome) {
    self.lease = lease
    self.elapsedSeconds = elapsedSeconds
    self.end = end
  }
}

/// What the coordinator tells a worker.
///
/// Each message makes good a lost one: `lease` states all that the worker is to hold.
package enum ToWorker: Sendable {
  /// Hold `keep` and nothing else, of which `new` has not been sent before or was lost. What the
  /// worker still has beside them is over: ended and received, or given to another. Messages are
  /// numbered from 1 by `version`; one that comes after a later one is void.
  case lease(version: Int, keep: [LeaseNumber], new: [Assignment])
  /// Write a checkpoint, report, take up nothing more, say `left`.
  case stop
  /// The run is over; `finalizes` says whether all ranks can finalize MPI together.
  case goodbye(finalizes: Bool)
}

/// What a worker tells the coordinator.
package enum FromWorker: Sendable {
  /// I live, have seen the lease message `seen`, and hold these leases, of which the first runs;
  /// ended ones whose outcome has not been acknowledged are among them. The first beat asks for work.
  case beat(seen: Int, holding: [LeaseNumber], progress: TrialProgress?)
  case outcomes([Outcome])
  /// I have reported everything and take up nothing more.
  case left
}
