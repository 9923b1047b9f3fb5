/// How often a trial is tried again.
package struct RetryBudget: Hashable, Sendable {
  /// After the worker that ran it died or fell silent.
  package var crash: Int
  /// After its loss was not finite.
  package var diverged: Int
  /// After it was stopped on request; nil is without limit.
  package var preempted: Int?

  package init(crash: Int = 2, diverged: Int = 0, preempted: Int? = nil) {
    self.crash = crash
    self.diverged = diverged
    self.preempted = preempted
  }
}
