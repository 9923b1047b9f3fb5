import Foundation
import MemoryNets

/// Carries out trials by training: from a configuration to a result, with checkpoints on the way.
///
/// What it reads from clocks goes into the part of a result that belongs to the execution, and
/// into nothing else.
package final class TrainingRunner: TrialRunner {
  /// Where and how trials run on this rank.
  package struct Settings {
    /// The `checkpoints` folder of the sweep.
    package var checkpoints: String
    package var keep = CheckpointRetention()
    /// Between two checkpoints of a running trial; 0 or less is never.
    package var checkpointSeconds = 60.0
    package var host = ""
    package var rank = 0
    package var fileSystem: any FileSystem = DiskFileSystem()
    /// Seconds since 1970.
    package var now: () -> Double = { Date().timeIntervalSince1970 }
    /// Seconds that this process has used on all its cores.
    package var coreSeconds: () -> Double = TrainingRunner.processSeconds
    /// Told in a line what went wrong and did not stop the trial.
    package var notice: (String) -> Void = { _ in }

    package init(checkpoints: String) {
      self.checkpoints = checkpoints
    }
  }

  /// Makes task, model and options of a trial, for this rank of a team if there is one.
  package typealias PartMaker = (TrialConfiguration, (any TrainingTeam)?) throws -> TrialParts

  private let settings: Settings
  private let parts: PartMaker

  package init(_ settings: Settings, parts: @escaping PartMaker) {
    self.settings = settings
    self.parts = parts
  }

  package func run(
    _ trial: Trial, attempt: Int, team: (any TrainingTeam)?,
    between: (TrialProgress) -> Directive
  ) -> TrialOutcome {
    let startedAt = settings.now()
    let training: Training
    do {
      let parts = try parts(trial.configuration, team)
      training = try Training(trial, parts, settings, startedAt, team)
    } catch let error as TeamError {
      return .broken(step: 0, reason: error.description)
    } catch {
      return .finished(failed(error, attempt: attempt, startedAt: startedAt))
    }
    do throws(TeamError) {
      if let end = try train(training, team, startedAt, between) { return end }
    } catch {
      settings.notice("\(error), at step \(training.trainer.step) of trial \(trial.identity)")
      return .broken(step: training.trainer.step, reason: error.description)
    }
    guard training.isLead else { return .followed }
    do {
      try training.finish()
    } catch {
      // No fault of the trial's: it goes on where its weights can be written.
      settings.notice(error.description)
      return .preempted(step: training.savedStep)
    }
    var result = training.result()
    describe(&result, attempt: attempt)
    return .finished(result)
  }

  /// Trains to the end, or returns how the trial was stopped before.
  private func train(
    _ training: Training, _ team: (any TrainingTeam)?, _ startedAt: Double,
    _ between: (TrialProgress) -> Directive
  ) throws(TeamError) -> TrialOutcome? {
    let trainer = training.trainer
    var lastSave = startedAt
    var agreement = Agreement(team, startedAt)
    while trainer.end == nil {
      let own = between(
        TrialProgress(
          step: trainer.step, totalSteps: trainer.options.steps, metric: trainer.goalValue))
      let now = settings.now()
      let isDue = settings.checkpointSeconds > 0 && now - lastSave >= settings.checkpointSeconds
      switch try agreement.directive(own == .proceed && isDue ? .checkpoint : own, now: now) {
      case .proceed: break
      case .checkpoint:
        try training.save()
        lastSave = now
      case .stop:
        try training.save()
        guard training.isLead else { return .followed }
        return own == .stop
          ? .preempted(step: training.savedStep) : .yielded(step: training.savedStep)
      case .abandon: return .abandoned
      }
      try training.advance()
    }
    return nil
  }

  /// Seconds of processor time of this process.
  package static func processSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private func failed(_ error: any Error, attempt: Int, startedAt: Double) -> TrialResult {
    var result = TrialResult(status: .failed, steps: 0)
    let reason =
      (error as? OptionProblem).map { "\($0.option) \($0.problem)" } ?? String(describing: error)
    result.reason = reason.split(whereSeparator: \.isNewline).joined(separator: "; ")
    result.startedAt = startedAt
    describe(&result, attempt: attempt)
    return result
  }

  private func describe(_ result: inout TrialResult, attempt: Int) {
    result.finishedAt = settings.now()
    result.host = settings.host
    result.rank = settings.rank
    result.attempt = attempt
  }
}

/// One trial under way: its trainer, its folder of checkpoints and what it has cost so far.
private final class Training {
  let trainer: Trainer
  private(set) var timing: TrialTiming
  /// The step that the newest durable checkpoint holds; 0 without any, for that is the start.
  private(set) var savedStep = 0

  /// Whether this rank has the result and writes the checkpoints.
  let isLead: Bool

  private let trial: Trial
  private let folder: CheckpointFolder
  private let parts: TrialParts
  private let rankCount: Double
  private let settings: TrainingRunner.Settings

  init(
    _ trial: Trial, _ parts: TrialParts, _ settings: TrainingRunner.Settings,
    _ startedAt: Double, _ team: (any TrainingTeam)?
  ) throws {
    self.trial = trial
    self.parts = parts
    isLead = (team?.rank ?? 0) == 0
    rankCount = Double(team?.size ?? 1)
    self.settings = settings
    let metric = trial.configuration.metric
    let isSteering =
      metric.target != nil || parts.options.earlyStopPatience > 0
      || parts.options.schedule == .plateau
    if let problem = Metrics.problem(
      goal: metric.name, loss: parts.task.shape.loss, measures: parts.task.shape.measures,
      isSteering: isSteering)
    {
      throw AssemblyError(description: "metric.name: \(problem)")
    }
    trainer = Trainer(
      model: parts.model, task: parts.task, options: parts.options,
      goal: TrainingGoal(
        metric: metric.name, isMaximized: metric.direction == .maximize, target: metric.target,
        stopsAtTarget: metric.stopsAtTarget), noiseKey: parts.noiseKey)
    timing = TrialTiming(startedAt: startedAt)
    folder = CheckpointFolder(
      root: settings.checkpoints, identity: trial.identity.description,
      fileSystem: settings.fileSystem)
    if isLead {
      let (checkpoint, notices) = folder.latest()
      notices.forEach(settings.notice)
      if let checkpoint { resume(checkpoint) }
    }
    if let team { try goOn(with: team) }
  }

  /// Goes on from the checkpoint that the lead has taken up.
  private func goOn(with team: any TrainingTeam) throws {
    let step = Int(try team.gather([Double(savedStep)])[0][0])
    guard !isLead, step > 0 else { return }
    let path = folder.path(step: step)
    do throws(CheckpointError) {
      try trainer.restore(
        Checkpoint(reading: path, fileSystem: settings.fileSystem), path: path)
    } catch {
      throw TeamError.failed(error.description)
    }
  }

  private func resume(_ checkpoint: Checkpoint) {
    do throws(CheckpointError) {
      try trainer.restore(checkpoint, path: folder.path(step: checkpoint.step))
    } catch {
      return settings.notice(error.description)
    }
    savedStep = checkpoint.step
    if let saved = checkpoint.section(named: TrialTiming.section)?.json(TrialTiming.self) {
      timing = saved
    }
  }

  func advance() throws(TeamError) {
    let before = settings.coreSeconds()
    try trainer.advance()
    // The ranks of a team do equal shares.
    timing.seconds += rankCount * (settings.coreSeconds() - before)
    if timing.secondsToTarget == nil && trainer.stepsToTarget != nil {
      timing.secondsToTarget = timing.seconds
    }
  }

  /// Writes a checkpoint, as the lead; when that fails, training goes on and the one before stays.
  func save() throws(TeamError) {
    try trainer.prepareCheckpoint()
    guard isLead else { return }
    var checkpoint = trainer.checkpoint(identity: folder.identity)
    checkpoint.append(trial.configuration)
    checkpoint.append(Checkpoint.Section(TrialLabel.section, json: TrialLabel(trial)))
    checkpoint.append(Checkpoint.Section(TrialTiming.section, json: timing))
    do throws(CheckpointError) {
      try folder.save(checkpoint)
      savedStep = checkpoint.step
    } catch {
      settings.notice(error.description)
    }
  }

  /// Leaves of the checkpoints what is to be kept of a finished trial.
  func finish() throws(CheckpointError) {
    if trainer.end == .complete {
      if settings.keep.best > 0,
        var best = trainer.bestCheckpoint(identity: folder.identity)
      {
        best.append(trial.configuration)
        try folder.saveBest(best)
      }
      if settings.keep.final {
        var final = trainer.weightsCheckpoint(identity: folder.identity)
        final.append(trial.configuration)
        try folder.saveFinal(final)
      }
    }
    folder.removeSteps(exceptLast: settings.keep.last)
  }

  func result() -> TrialResult {
    var result = TrialResult(status: .complete, steps: trainer.step)
    if case .diverged(let step, let reason) = trainer.end {
      result.status = .diverged
      result.steps = step
      result.reason = reason
    }
    func points(_ points: [TrainingPoint]) -> [MetricPoint] {
      points.map { MetricPoint(step: $0.step, name: $0.name, value: $0.value) }
    }
    result.history = points(trainer.history)
    result.metrics = points(trainer.metrics)
    result.stepsToTarget = trainer.stepsToTarget
    result.parameterCount = parts.model.parameterCount
    result.stateSize = parts.model.stateSize
    result.seconds = timing.seconds
    result.secondsToTarget = timing.secondsToTarget
    result.startedAt = timing.startedAt
    return result
  }
}
