/// Something that happened in a run, for the event stream and the store.
package struct SweepEvent: Hashable, Sendable {
  /// Seconds since 1970.
  package var time: Double
  /// `started`, `leased`, `finished`, `preempted`, `lease_expired`, `interrupted`, ...
  package var kind: String
  package var identity: TrialIdentity?
  package var rank: Int?
  package var detail: String

  package init(
    time: Double, kind: String, identity: TrialIdentity? = nil, rank: Int? = nil,
    detail: String = ""
  ) {
    self.time = time
    self.kind = kind
    self.identity = identity
    self.rank = rank
    self.detail = detail
  }
}

/// Where the coordinator puts what must not be lost.
package protocol ResultSink: AnyObject {
  /// How `identity` ended, if it is finished; includes what is appended and not yet committed.
  func status(of identity: TrialIdentity) -> TrialStatus?

  /// Adds the result of a trial that has none.
  func append(_ result: TrialResult, of trial: Trial)

  /// Notes that `trial`, finished in an earlier run, belongs to this sweep under this method's name.
  func adopt(_ trial: Trial)

  func append(_ event: SweepEvent)

  /// How many events of `kind` each trial has had in the runs before this one.
  ///
  /// Crash budgets hold over restarts of the job: asked for `crashed` and `lease_expired`.
  func eventCounts(of kind: String) -> [TrialIdentity: Int]

  /// Makes all that was appended durable: after return it survives a crash of the machine.
  func commit() throws
}

extension ResultSink {
  /// A sink that does not outlive a run knows of none.
  package func eventCounts(of kind: String) -> [TrialIdentity: Int] { [:] }
}
