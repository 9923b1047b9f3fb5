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

  private let settings: Settings
  private let parts: (TrialConfiguration) throws -> TrialParts

  /// `parts` makes task, model and options of a trial, as `TrialAssembly.parts` does.
  package init(
    _ settings: Settings, parts: @escaping (TrialConfiguration) throws -> TrialParts
  ) {
    self.settings = settings
    self.parts = parts
  }

  package func run(
    _ trial: Trial, attempt: Int, between: (TrialProgress) -> Directive
  ) -> TrialOutcome {
    let startedAt = settings.now()
    let training: Training
    do {
      training = try Training(trial, try parts(trial.configuration), settings, startedAt)
    } catch {
      return .finished(failed(error, attempt: attempt, startedAt: startedAt))
    }
    let trainer = training.trainer
    var lastSave = startedAt
    while trainer.end == nil {
      let progress = TrialProgress(
        step: trainer.step, totalSteps: trainer.options.steps, metric: trainer.goalValue)
      switch between(progress) {
      case .proceed:
        guard settings.checkpointSeconds > 0 else { break }
        let now = settings.now()
        if now - lastSave >= settings.checkpointSeconds {
          training.save()
          lastSave = now
        }
      case .checkpoint: training.save()
      case .stop:
        training.save()
        return .preempted(step: training.savedStep)
      case .abandon: return .abandoned
      }
      training.advance()
    }
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
  /// What of a trial's cost goes along with its checkpoints.
  struct Timing: Codable {
    var startedAt: Double
    var seconds = 0.0
    var secondsToTarget: Double?
  }

  let trainer: Trainer
  private(set) var timing: Timing
  /// The step that the newest durable checkpoint holds; 0 without any, for that is the start.
  private(set) var savedStep = 0

  private let folder: CheckpointFolder
  private let parts: TrialParts
  private let settings: TrainingRunner.Settings

  init(
    _ trial: Trial, _ parts: TrialParts, _ settings: TrainingRunner.Settings,
    _ startedAt: Double
  ) throws {
    self.parts = parts
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
    timing = Timing(startedAt: startedAt)
    folder = CheckpointFolder(
      root: settings.checkpoints, identity: trial.identity.description,
      fileSystem: settings.fileSystem)
    let (checkpoint, notices) = folder.latest()
    notices.forEach(settings.notice)
    if let checkpoint { resume(checkpoint) }
  }

  private func resume(_ checkpoint: Checkpoint) {
    do throws(CheckpointError) {
      try trainer.restore(checkpoint, path: folder.path(step: checkpoint.step))
    } catch {
      return settings.notice(error.description)
    }
    savedStep = checkpoint.step
    if let saved = checkpoint.section(named: "timing")?.json(Timing.self) { timing = saved }
  }

  func advance() {
    let before = settings.coreSeconds()
    trainer.advance()
    timing.seconds += settings.coreSeconds() - before
    if timing.secondsToTarget == nil && trainer.stepsToTarget != nil {
      timing.secondsToTarget = timing.seconds
    }
  }

  /// Writes a checkpoint; when that fails, training goes on and the one before stays.
  func save() {
    var checkpoint = trainer.checkpoint(identity: folder.identity)
    checkpoint.append(Checkpoint.Section("timing", json: timing))
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
        let best = trainer.bestCheckpoint(identity: folder.identity)
      {
        try folder.saveBest(best)
      }
      if settings.keep.final {
        try folder.saveFinal(trainer.weightsCheckpoint(identity: folder.identity))
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
