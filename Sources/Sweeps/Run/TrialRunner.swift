import MemoryNets

/// What a rank is told between two steps of a trial.
///
/// Of what the ranks of a team are told, the last in this order holds for all of them.
package enum Directive: Int, Sendable {
  case proceed
  /// Write a checkpoint and go on.
  case checkpoint
  /// Write a checkpoint and stop: the job is ending.
  case stop
  /// Stop without a trace: the lease has been given to another rank.
  case abandon
}

/// Where a trial stands, told between steps.
package struct TrialProgress: Sendable {
  package var step: Int
  package var totalSteps: Int
  /// The latest value of the sweep's metric, if there is one yet.
  package var metric: Double?

  package init(step: Int, totalSteps: Int, metric: Double?) {
    self.step = step
    self.totalSteps = totalSteps
    self.metric = metric
  }
}

/// How the run of a trial on a rank ended.
package enum TrialOutcome: Sendable {
  case finished(TrialResult)
  /// Stopped on request, or because the result cannot be kept at this place; the checkpoint at
  /// `step` is durable.
  case preempted(step: Int)
  case abandoned
  /// Stopped because another rank of the team was asked to; the checkpoint at `step` is durable.
  case yielded(step: Int)
  /// This rank's part in a team has ended; the lead of the team says how.
  case followed
  /// The team came apart at `step`.
  case broken(step: Int, reason: String)
}

/// Carries out trials: training in a sweep, something simpler in tests and benchmarks.
package protocol TrialRunner: AnyObject {
  /// Runs `trial` to its end or until told to stop, going on from its last checkpoint.
  ///
  /// Never throws: what goes wrong in a trial is a result with status `failed`. `between` is called
  /// between any two steps and must return at once. Every rank of a `team` runs the same trial; the
  /// lead, its rank 0, writes the checkpoints and has the result.
  func run(
    _ trial: Trial, attempt: Int, team: (any TrainingTeam)?,
    between: (TrialProgress) -> Directive
  ) -> TrialOutcome
}

extension TrialRunner {
  /// Runs `trial` on this rank alone.
  package func run(
    _ trial: Trial, attempt: Int, between: (TrialProgress) -> Directive
  ) -> TrialOutcome {
    run(trial, attempt: attempt, team: nil, between: between)
  }
}

/// Hands out the trials of a sweep, each once, in the order in which they should start.
package protocol TrialSource: AnyObject {
  /// All trials there are, done or not, if that is known without enumerating them.
  var count: Int? { get }

  /// The next trial, or nil when all have been handed out.
  func next() -> Trial?
}
