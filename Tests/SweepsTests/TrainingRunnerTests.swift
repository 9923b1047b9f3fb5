import Foundation
import MemoryNets
import Sweeps
import Testing

@Suite struct TrainingRunnerTests {
  static func trial(
    seed: Int = 1, train: OptionDictionary = [:], metric: MetricGoal? = nil
  ) -> Trial {
    Trial(
      identity: TrialIdentity(high: 0x0123_4567_89ab_cdef, low: UInt64(seed)), method: "line",
      parameters: [],
      configuration: TrialConfiguration(
        task: ["kind": .string("line")], model: [:], train: train, seed: seed,
        metric: metric
          ?? MetricGoal(name: "validation.loss", direction: .minimize, target: 0.05)))
  }

  private static func parts(_ configuration: TrialConfiguration) throws -> TrialParts {
    if configuration.train["broken"] != nil {
      throw OptionProblem("hidden_size", "is 0\nat least 1 is needed")
    }
    var options = TrainOptions()
    options.learningRate = 0.1
    options.batchSize = 4
    options.steps = 12
    options.evaluateEvery = 4
    let model = LineModel(diverges: configuration.train["diverges"] != nil)
    return TrialParts(
      task: LineTask(), model: model, options: options, noiseKey: configuration.key("noise"))
  }

  /// A runner for teams that agree at every step: by its clock steps are slow.
  private static func slowRunner(_ folder: URL) -> TrainingRunner {
    var now = 1000.0
    return runner(folder) {
      $0.checkpointSeconds = 0
      $0.now = {
        now += 1
        return now
      }
    }
  }

  /// A runner with clocks that tick once a reading.
  static func runner(
    _ folder: URL, notices: Notices = Notices(),
    _ change: (inout TrainingRunner.Settings) -> Void = { _ in }
  ) -> TrainingRunner {
    var settings = TrainingRunner.Settings(checkpoints: folder.path)
    var ticks = 0.0
    settings.now = { 1000 }
    settings.coreSeconds = {
      ticks += 1
      return ticks
    }
    settings.host = "node"
    settings.rank = 3
    settings.notice = { notices.lines.append($0) }
    change(&settings)
    return TrainingRunner(settings) { configuration, _ in try parts(configuration) }
  }

  final class Notices {
    var lines: [String] = []
  }

  private static func folder() -> URL {
    FileManager.default.temporaryDirectory.appendingPathComponent("memsweep-" + UUID().uuidString)
  }

  private func finished(_ outcome: TrialOutcome) throws -> TrialResult {
    guard case .finished(let result) = outcome else { throw OptionProblem("", "\(outcome)") }
    return result
  }

  @Test func aTrialIsTrainedToItsResult() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var steps: [Int] = []
    let outcome = Self.runner(folder).run(Self.trial(), attempt: 2) { progress in
      steps.append(progress.step)
      #expect(progress.totalSteps == 12)
      #expect(
        (progress.metric == nil) == (progress.step < 4 || steps.filter { $0 == 4 }.count == 1))
      return .proceed
    }
    let result = try finished(outcome)
    #expect(result.status == .complete)
    #expect(result.steps == 12)
    #expect(result.metrics.map(\.name) == ["test.loss", "train.loss", "validation.loss"])
    #expect(result.history.filter { $0.name == "validation.loss" }.map(\.step) == [4, 8, 12])
    #expect(result.stepsToTarget == 12)
    #expect((result.parameterCount, result.stateSize) == (1, 0))
    #expect((result.host, result.rank, result.attempt) == ("node", 3, 2))
    #expect((result.startedAt, result.finishedAt) == (1000, 1000))
    // Twelve updates, three evaluations and the test, a tick each.
    #expect(result.seconds == 16)
    #expect(result.secondsToTarget == 15)
    #expect(steps.count == 16)
    let files = try FileManager.default.contentsOfDirectory(
      atPath: folder.path + "/" + Self.trial().identity.description)
    #expect(files.sorted() == ["best.ckpt", "final.ckpt"])
  }

  /// Stopped at every call between steps, and a checkpoint before; then finished by another rank.
  @Test func interruptionsDoNotShowInResultOrFinalWeights() throws {
    let trial = Self.trial()
    let whole = Self.folder()
    defer { try? FileManager.default.removeItem(at: whole) }
    let expected = try finished(Self.runner(whole).run(trial, attempt: 1) { _ in .proceed })
    let name = "/\(trial.identity)/final.ckpt"
    let weights = FileManager.default.contents(atPath: whole.path + name)
    #expect(weights != nil)
    for stop in 0..<16 {
      let folder = Self.folder()
      defer { try? FileManager.default.removeItem(at: folder) }
      var calls = 0
      let first = Self.runner(folder).run(trial, attempt: 1) { _ in
        calls += 1
        return calls == stop ? .checkpoint : calls == stop + 1 ? .stop : .proceed
      }
      guard case .preempted(let step) = first else {
        Issue.record("\(first)")
        return
      }
      #expect(step <= 12)
      var started: Int?
      let notices = Notices()
      let second = Self.runner(folder, notices: notices).run(trial, attempt: 2) { progress in
        started = started ?? progress.step
        return .proceed
      }
      var result = try finished(second)
      #expect(started == step)
      #expect(notices.lines == [])
      #expect(FileManager.default.contents(atPath: folder.path + name) == weights)
      #expect(result.attempt == 2)
      result.attempt = 1
      // An evaluation that was interrupted is done again; nothing else of the cost changes.
      #expect(result.seconds == expected.seconds || step % 4 == 0)
      (result.seconds, result.secondsToTarget) = (expected.seconds, expected.secondsToTarget)
      #expect(result == expected, "stopped at call \(stop)")
    }
  }

  /// The first thing that ranks tell each other is the step that they go on from.
  @Test func aTeamStopsWhereOneOfItsRanksIsAskedTo() throws {
    for (rank, own) in [(0, Directive.proceed), (0, .stop), (1, .proceed)] {
      let folder = Self.folder()
      defer { try? FileManager.default.removeItem(at: folder) }
      let stop = Double(Directive.stop.rawValue)
      let team = ScriptedTeam(rank: rank) { call in call == 4 ? stop : 0 }
      var calls = 0
      let outcome = Self.slowRunner(folder).run(Self.trial(), attempt: 1, team: team) { _ in
        calls += 1
        return calls == 3 ? own : .proceed
      }
      switch (outcome, rank, own) {
      case (.yielded(2), 0, .proceed), (.preempted(2), 0, .stop), (.followed, 1, .proceed): break
      default: Issue.record("\(outcome) of rank \(rank)")
      }
      let path = folder.path + "/\(Self.trial().identity)/step-2.ckpt"
      #expect(FileManager.default.fileExists(atPath: path) == (rank == 0))
    }
  }

  @Test func onlyTheLeadHasTheResult() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let alone = try finished(Self.runner(folder).run(Self.trial(), attempt: 1) { _ in .proceed })
    for rank in 0...1 {
      let folder = Self.folder()
      defer { try? FileManager.default.removeItem(at: folder) }
      let team = ScriptedTeam(rank: rank) { _ in 0 }
      let outcome = Self.slowRunner(folder).run(Self.trial(), attempt: 1, team: team) { _ in
        .proceed
      }
      if rank == 0 {
        let result = try finished(outcome)
        #expect(result.history == alone.history)
        #expect(result.seconds == 2 * alone.seconds)
      } else {
        guard case .followed = outcome else {
          Issue.record("\(outcome)")
          return
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path))
      }
    }
  }

  @Test func aTeamThatComesApartSaysWhyAndWhere() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let team = ScriptedTeam(rank: 0) { call throws(TeamError) in
      if call == 5 { throw .silent(ranks: [1], seconds: 30) }
      return 0
    }
    let outcome = Self.slowRunner(folder).run(Self.trial(), attempt: 1, team: team) { _ in .proceed
    }
    guard case .broken(3, "no answer from rank 1 of the team for 30.0 s") = outcome else {
      Issue.record("\(outcome)")
      return
    }
  }

  @Test func ranksThatCannotReadTheLeadsCheckpointSaySo() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let team = ScriptedTeam(rank: 1) { call in call == 1 ? 8 : 0 }
    let outcome = Self.slowRunner(folder).run(Self.trial(), attempt: 1, team: team) { _ in .proceed
    }
    guard case .broken(0, let reason) = outcome, reason.contains("step-8.ckpt") else {
      Issue.record("\(outcome)")
      return
    }
  }

  @Test func divergenceAndFailureAreResults() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let diverged = try finished(
      Self.runner(folder).run(Self.trial(train: ["diverges": .boolean(true)]), attempt: 1) { _ in
        .proceed
      })
    #expect(diverged.status == .diverged)
    #expect(diverged.steps == 7)
    #expect(diverged.reason == "the loss is nan")
    #expect(
      !FileManager.default.fileExists(
        atPath: folder.path + "/\(Self.trial().identity)/final.ckpt"))

    let failed = try finished(
      Self.runner(folder).run(Self.trial(train: ["broken": .boolean(true)]), attempt: 1) { _ in
        .proceed
      })
    #expect(failed.status == .failed)
    #expect(failed.reason == "hidden_size is 0; at least 1 is needed")

    let unknown = try finished(
      Self.runner(folder).run(
        Self.trial(metric: MetricGoal(name: "validation.accuracy")), attempt: 1
      ) { _ in .proceed })
    #expect(unknown.status == .failed)
    #expect(
      unknown.reason == "metric.name: validation.accuracy is no metric of this task; this task has "
        + "train.loss, validation.loss, test.loss")
  }

  @Test func anAbandonedTrialLeavesNoTrace() {
    let folder = Self.folder()
    var calls = 0
    let outcome = Self.runner(folder).run(Self.trial(), attempt: 1) { _ in
      calls += 1
      return calls == 3 ? .abandon : .proceed
    }
    guard case .abandoned = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path))
  }

  @Test func aDamagedCheckpointIsANoticeAndTheResultTheSame() throws {
    let trial = Self.trial()
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var calls = 0
    _ = Self.runner(folder).run(trial, attempt: 1) { _ in
      calls += 1
      return calls == 3 ? .checkpoint : calls == 6 ? .stop : .proceed
    }
    let path = folder.path + "/\(trial.identity)/step-4.ckpt"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count - 9] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    let notices = Notices()
    var started: Int?
    let result = try finished(
      Self.runner(folder, notices: notices).run(trial, attempt: 2) { progress in
        started = started ?? progress.step
        return .proceed
      })
    #expect(started == 2)
    #expect(notices.lines.count == 1)
    #expect(notices.lines.first?.contains("step-4.ckpt: damaged") == true)
    #expect(result.status == .complete)
  }

  @Test func aTrialWhoseWeightsCannotBeWrittenHasNoResult() throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data("no folder".utf8).write(to: folder)
    let notices = Notices()
    let outcome = Self.runner(folder, notices: notices).run(Self.trial(), attempt: 1) { _ in
      .proceed
    }
    guard case .preempted(step: 0) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(notices.lines.last?.contains(folder.path) == true, "\(notices.lines)")
  }

  @Test func keysArePairedOverMethodsAndFixedWhereNothingVaries() {
    var configuration = Self.trial(seed: 5).configuration
    let all = ["init", "order", "data", "noise"].map(configuration.key)
    #expect(Set(all).count == 4)
    var other = configuration
    other.model = ["cell": .string("gru")]
    #expect(["init", "order", "data", "noise"].map(other.key) == all)
    configuration.vary = [.`init`]
    let fixed = ["init", "order", "data", "noise"].map(configuration.key)
    configuration.seed = 6
    let next = ["init", "order", "data", "noise"].map(configuration.key)
    #expect(fixed[0] == all[0] && next[0] != fixed[0])
    #expect(fixed[1...] == next[1...] && fixed[1] != all[1] && fixed[3] != all[3])
  }
}

/// y = x with one weight to learn.
private final class LineTask: SequenceTask {
  let shape = TaskShape(
    input: .features(size: 1), outputSize: 1, loss: .squaredError, outputSteps: .last,
    maximumSteps: 1)
  let baselines: [TrivialBaseline] = []
  let dataDigest = ""

  func fillTraining(_ batch: Batch, update: Int, batchSize: Int) {
    fill(batch, stream: update, rows: batchSize)
  }

  func evaluationBatchCount(_ split: DataSplit, batchSize: Int) -> Int { 1 }

  func fillEvaluation(_ batch: Batch, split: DataSplit, index: Int, batchSize: Int) {
    fill(batch, stream: split == .test ? 1_000_000 : 1_000_001, rows: batchSize)
  }

  private func fill(_ batch: Batch, stream: Int, rows: Int) {
    var random = PhiloxStream(key: PhiloxKey(4), stream: UInt64(stream))
    batch.resize(rows: rows, steps: 1)
    for row in 0..<rows {
      let x = Float(random.uniform() + 0.5)
      batch.features[row] = x
      batch.targets[row] = x
      batch.weights[row] = 1
    }
  }
}

private final class LineModel: TrainableModel {
  let parameters = ParameterStore(
    precision: .float,
    views: [ParameterView(name: "w", group: .controller, shape: [1], offset: 0)])
  let kernels = Kernels(.best, .float)
  let stateSize = 0
  let parameterCount = 1
  let carriedState = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private let diverges: Bool

  init(diverges: Bool) { self.diverges = diverges }

  func train(_ batch: Batch, update: Int, noiseKey: PhiloxKey) -> LossStatistics {
    var gradient: Float = 0
    var statistics = run(batch) { x, error in gradient += 2 * error * x / Float(batch.rows) }
    parameters.gradients.storeBytes(of: gradient, as: Float.self)
    if diverges && update == 6 { statistics.loss = .nan }
    return statistics
  }

  func evaluate(_ batch: Batch) -> LossStatistics { run(batch) { _, _ in } }

  private func run(_ batch: Batch, _ each: (Float, Float) -> Void) -> LossStatistics {
    let w = parameters.values.load(as: Float.self)
    var statistics = LossStatistics()
    for row in 0..<batch.rows {
      let error = w * batch.features[row] - batch.targets[row]
      statistics.loss += Double(error * error)
      statistics.weight += 1
      each(batch.features[row], error)
    }
    return statistics
  }
}
