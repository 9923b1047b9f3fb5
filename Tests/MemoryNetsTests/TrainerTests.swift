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

  private func run(_ trainer: Trainer) throws -> Trainer {
    while trainer.end == nil { try trainer.advance() }
    return trainer
  }

  private func bytes(_ trainer: Trainer) -> [UInt8] {
    trainer.checkpoint(identity: Self.identity).encoded()
  }

  @Test func aTrainingLearnsAndEvaluatesAsOftenAsAsked() throws {
    let trainer = try run(
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

  @Test func theTrainingLossIsTheMeanSinceTheLastEvaluation() throws {
    let trainer = trainer(
      options {
        $0.steps = 4; $0.evaluateEvery = 2; $0.learningRate = 1e-9
      })
    _ = try run(trainer)
    let losses = trainer.history.filter { $0.name == "train.loss" }
    // With weights that stay near 0 every loss is log 2; a sum over all updates would not be.
    #expect(losses.count == 2)
    #expect(losses.allSatisfy { abs($0.value - 0.693147) < 1e-5 }, "\(losses)")
  }

  /// Interrupted between any two calls of `advance` and resumed from the file's bytes.
  @Test(arguments: Precision.allCases, [(0, 0), (2, 0), (0, 1), (9, 1)])
  func interruptedAnywhereAndResumedGivesTheSameBits(
    precision: Precision, patience: (stop: Int, average: Int)
  ) throws {
    let options = options {
      ($0.earlyStopPatience, $0.averagePatience) = (patience.stop, patience.average)
    }
    let whole = trainer(options, precision: precision)
    var states: [[UInt8]] = []
    while whole.end == nil {
      states.append(bytes(whole))
      try whole.advance()
    }
    let final = whole.weightsCheckpoint(identity: Self.identity).encoded()
    // Twenty-three updates at least without early stop, six evaluations of three batches.
    #expect(patience.stop > 0 || states.count == 23 + 6 * 3)
    #expect(states.count > 20)
    for (index, state) in states.enumerated() {
      let resumed = trainer(options, precision: precision)
      try resumed.restore(Checkpoint(decoding: state, path: "state"), path: "state")
      _ = try run(resumed)
      #expect(resumed.history == whole.history, "interrupted at \(index)")
      #expect(resumed.metrics == whole.metrics)
      #expect(resumed.step == whole.step)
      #expect(resumed.weightsCheckpoint(identity: Self.identity).encoded() == final)
      #expect(bytes(resumed) == bytes(whole), "interrupted at \(index)")
    }
  }

  @Test func aNumberThatIsNotFiniteEndsTheTrainingWithItsStep() throws {
    let task = PlaneTask()
    task.badUpdate = 11
    let trainer = trainer(options(), task: task)
    var before: [UInt8] = []
    while trainer.end == nil {
      before = trainer.weightsCheckpoint(identity: Self.identity).encoded()
      try trainer.advance()
    }
    guard case .diverged(step: 12, let reason) = trainer.end else {
      Issue.record("\(String(describing: trainer.end))")
      return
    }
    #expect(reason.hasPrefix("the ") && reason.contains(" is "), "\(reason)")
    #expect(trainer.weightsCheckpoint(identity: Self.identity).encoded() == before)
    #expect(trainer.history.map(\.step).max() == 10)
  }

  @Test func aTargetStopsTheTrainingOnlyWhereItIsToldTo() throws {
    let change = { (options: inout TrainOptions) in
      options.steps = 60
      options.learningRate = 0.1
    }
    for stops in [true, false] {
      let goal = TrainingGoal(
        metric: "validation.accuracy", isMaximized: true, target: 0.75, stopsAtTarget: stops)
      let trainer = try run(trainer(options(change), goal: goal))
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
    let trainer = try run(trainer(options, goal: goal))
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

  @Test func theMeanOfTheWeightsIsEvaluatedOnceValidationGetsWorse() throws {
    let options = options {
      ($0.steps, $0.evaluateEvery, $0.averagePatience) = (120, 4, 2)
      ($0.schedule, $0.optimizer) = (.constant, .sgd)
      // So far that the loss goes up and down.
      ($0.learningRate, $0.clipNorm) = (4, 0)
    }
    let trainer = trainer(
      options, precision: .double, goal: TrainingGoal(metric: "validation.loss", isMaximized: false)
    )
    func numbers(_ section: String) -> [Double]? {
      trainer.checkpoint(identity: Self.identity).section(named: section).map { section in
        (0..<4).map { section.bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
      }
    }
    var averaged: [[Double]] = []
    var begin: Int?
    while trainer.end == nil {
      let step = trainer.step
      try trainer.advance()
      guard trainer.end == nil, trainer.history.last?.name.hasPrefix("test") != true else { break }
      if trainer.step > step, begin != nil { averaged.append(try #require(numbers("weights"))) }
      if begin == nil, numbers("average") != nil { begin = trainer.step }
      if let mean = numbers("average"), !averaged.isEmpty {
        for i in 0..<4 {
          let expected = averaged.reduce(0) { $0 + $1[i] } / Double(averaged.count)
          #expect(abs(mean[i] - expected) < 1e-12)
        }
      }
    }
    let started = try #require(begin)
    // The first evaluation that was worse than the best of more than two before it.
    let losses = trainer.history.filter { $0.name == "validation.loss" }
    let position = try #require(losses.firstIndex { $0.step == started })
    func isWorse(_ i: Int) -> Bool {
      i > 2 && losses[i].value > losses[..<(i - 2)].map(\.value).min() ?? 0
    }
    #expect((0...position).filter(isWorse) == [position])
    #expect(averaged.count > 10)
  }

  @Test func evaluationsDoNotTouchTheTraining() throws {
    let weights = try [1, 2, 50].map { every in
      let trainer = try run(
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

  @Test func aSplitWithoutSequencesHasNoMetrics() throws {
    let task = PlaneTask()
    task.evaluationBatches = 0
    let trainer = try run(trainer(options(), task: task))
    #expect(trainer.end == .complete)
    #expect(Set(trainer.history.map(\.name)) == ["train.loss", "train.accuracy"])
  }

  @Test func aCheckpointOfAnotherModelIsRefusedAndChangesNothing() throws {
    let other = trainer(options(), precision: .double)
    try other.advance()
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
