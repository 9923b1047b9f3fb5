import MemoryNets
import Testing

@Suite struct TrainerTests {
  private static let identity = "0123456789abcdef0123456789abcdef"

  private func options(_ change: (inout TrainOptions) -> Void = { _ in }) -> TrainOptions {
    var options = TrainOptions()
    options.learningRate = 0.05
    options.batchSize = 8
    options.evaluateBatchSize = 16
    options.steps = 23
    options.evaluateEvery = 5
    options.clipNorm = 1
    options.schedule = .plateau
    options.schedulePatience = 1
    options.warmup = 3
    change(&options)
    return options
  }

  private func trainer(
    _ options: TrainOptions, task: PlaneTask = PlaneTask(), precision: Precision = .float,
    goal: TrainingGoal = TrainingGoal(metric: "validation.accuracy", isMaximized: true)
  ) -> Trainer {
    Trainer(
      model: PlaneModel(precision), task: task, options: options, goal: goal,
      noiseKey: PhiloxKey(9))
  }

  private func run(_ trainer: Trainer) -> Trainer {
    while trainer.end == nil { trainer.advance() }
    return trainer
  }

  private func bytes(_ trainer: Trainer) -> [UInt8] {
    trainer.checkpoint(identity: Self.identity).encoded()
  }

  @Test func aTrainingLearnsAndEvaluatesAsOftenAsAsked() {
    let trainer = run(
      trainer(
        options {
          $0.steps = 203; $0.evaluateEvery = 50
        }))
    #expect(trainer.end == .complete)
    #expect(trainer.step == 203)
    let losses = trainer.history.filter { $0.name == "validation.loss" }
    #expect(losses.map(\.step) == [50, 100, 150, 200, 203])
    #expect(trainer.goalValue ?? 0 > 0.8)
    #expect((losses.last?.value ?? 1) < 0.6)
    #expect(
      trainer.metrics.map(\.name) == [
        "test.accuracy", "test.loss", "train.accuracy", "train.loss", "validation.accuracy",
        "validation.loss",
      ])
    #expect(trainer.metrics.allSatisfy { $0.step == 203 })
  }

  @Test func theTrainingLossIsTheMeanSinceTheLastEvaluation() {
    let trainer = trainer(
      options {
        $0.steps = 4; $0.evaluateEvery = 2; $0.learningRate = 1e-9
      })
    _ = run(trainer)
    let losses = trainer.history.filter { $0.name == "train.loss" }
    // With weights that stay near 0 every loss is log 2; a sum over all updates would not be.
    #expect(losses.count == 2)
    #expect(losses.allSatisfy { abs($0.value - 0.693147) < 1e-5 }, "\(losses)")
  }

  /// Interrupted between any two calls of `advance` and resumed from the file's bytes.
  @Test(arguments: Precision.allCases, [0, 2])
  func interruptedAnywhereAndResumedGivesTheSameBits(
    precision: Precision, patience: Int
  ) throws {
    let options = options { $0.earlyStopPatience = patience }
    let whole = trainer(options, precision: precision)
    var states: [[UInt8]] = []
    while whole.end == nil {
      states.append(bytes(whole))
      whole.advance()
    }
    let final = whole.weightsCheckpoint(identity: Self.identity).encoded()
    // Twenty-three updates at least without early stop, six evaluations of three batches.
    #expect(patience > 0 || states.count == 23 + 6 * 3)
    #expect(states.count > 20)
    for (index, state) in states.enumerated() {
      let resumed = trainer(options, precision: precision)
      try resumed.restore(Checkpoint(decoding: state, path: "state"), path: "state")
      _ = run(resumed)
      #expect(resumed.history == whole.history, "interrupted at \(index)")
      #expect(resumed.metrics == whole.metrics)
      #expect(resumed.step == whole.step)
      #expect(resumed.weightsCheckpoint(identity: Self.identity).encoded() == final)
      #expect(bytes(resumed) == bytes(whole), "interrupted at \(index)")
    }
  }

  @Test func aNumberThatIsNotFiniteEndsTheTrainingWithItsStep() {
    let task = PlaneTask()
    task.badUpdate = 11
    let trainer = trainer(options(), task: task)
    var before: [UInt8] = []
    while trainer.end == nil {
      before = trainer.weightsCheckpoint(identity: Self.identity).encoded()
      trainer.advance()
    }
    guard case .diverged(step: 12, let reason) = trainer.end else {
      Issue.record("\(String(describing: trainer.end))")
      return
    }
    #expect(reason.hasPrefix("the ") && reason.contains(" is "), "\(reason)")
    #expect(trainer.weightsCheckpoint(identity: Self.identity).encoded() == before)
    #expect(trainer.history.map(\.step).max() == 10)
  }

  @Test func aTargetStopsTheTrainingOnlyWhereItIsToldTo() {
    let change = { (options: inout TrainOptions) in
      options.steps = 60
      options.learningRate = 0.1
    }
    for stops in [true, false] {
      let goal = TrainingGoal(
        metric: "validation.accuracy", isMaximized: true, target: 0.75, stopsAtTarget: stops)
      let trainer = run(trainer(options(change), goal: goal))
      let first = trainer.history.first { $0.name == goal.metric && $0.value >= 0.75 }
      #expect(first != nil)
      #expect(trainer.stepsToTarget == first?.step)
      #expect(trainer.step == (stops ? first?.step : 60))
      #expect((first?.step ?? 60) < 60)
      #expect(trainer.metrics.contains { $0.name == "test.loss" })
    }
  }

  @Test func earlyStopBringsTheBestWeightsBack() throws {
    // A rate this high makes the loss jump about, so that the last weights are not the best.
    let goal = TrainingGoal(metric: "validation.loss", isMaximized: false)
    let options = options {
      $0.optimizer = .sgd
      $0.schedule = .constant
      $0.clipNorm = 0
      $0.learningRate = 4
      $0.steps = 1000
      $0.evaluateEvery = 1
      $0.earlyStopPatience = 3
    }
    let trainer = run(trainer(options, goal: goal))
    let losses = trainer.history.filter { $0.name == "validation.loss" }
    let best = try #require(losses.min { $0.value < $1.value })
    #expect(trainer.step == best.step + 3)
    #expect(trainer.step < 1000)
    #expect(trainer.metrics.first { $0.name == "validation.loss" } == best)
    let kept = try #require(trainer.bestCheckpoint(identity: Self.identity))
    #expect(kept.step == best.step)
    let final = trainer.weightsCheckpoint(identity: Self.identity)
    #expect(
      final.section(named: "weights").map { Array($0.bytes) }
        == kept.section(named: "weights").map { Array($0.bytes) })
  }

  @Test func evaluationsDoNotTouchTheTraining() {
    let weights = [1, 2, 50].map { every in
      let trainer = run(
        trainer(
          options {
            $0.schedule = .constant
            $0.evaluateEvery = every
          }))
      return trainer.weightsCheckpoint(identity: Self.identity).encoded()
    }
    #expect(weights[0] == weights[2])
    #expect(weights[1] == weights[2])
  }

  @Test func aSplitWithoutSequencesHasNoMetrics() {
    let task = PlaneTask()
    task.evaluationBatches = 0
    let trainer = run(trainer(options(), task: task))
    #expect(trainer.end == .complete)
    #expect(Set(trainer.history.map(\.name)) == ["train.loss", "train.accuracy"])
  }

  @Test func aCheckpointOfAnotherModelIsRefusedAndChangesNothing() throws {
    let other = trainer(options(), precision: .double)
    other.advance()
    let trainer = trainer(options())
    let before = bytes(trainer)
    for checkpoint in [
      other.checkpoint(identity: Self.identity), trainer.weightsCheckpoint(identity: Self.identity),
    ] {
      #expect(throws: CheckpointError.self) { try trainer.restore(checkpoint, path: "x") }
      #expect(bytes(trainer) == before)
    }
  }
}
