import MemoryNets
import Sweeps
import TestSupport
import Testing

/// What `plan` says a trial takes, beside what a trial takes.
@Suite(.enabled(if: Allocations.areCounted, "\(Allocations.skipReason)"))
struct TrialMemoryTests {
  struct Work: Sendable, CustomTestStringConvertible {
    let name: String
    let task: OptionDictionary
    let model: OptionDictionary
    var shards = 1
    var testDescription: String { name }
  }

  private static let works = [
    Work(
      name: "fw_lstm, associative retrieval",
      task: ["kind": .string("associative_retrieval"), "pairs": .integer(8)],
      model: [
        "cell": .string("fw_lstm"), "hidden_size": .integer(50), "embedding_size": .integer(100),
        "readout_size": .integer(100),
      ]),
    Work(
      name: "weinet, associative retrieval, small",
      task: ["kind": .string("associative_retrieval"), "pairs": .integer(2)],
      model: [
        "cell": .string("weinet"), "hidden_size": .integer(20), "embedding_size": .integer(16),
      ]),
    Work(
      name: "gru, copy", task: ["kind": .string("copy")],
      model: ["cell": .string("gru"), "hidden_size": .integer(64)]),
    Work(
      name: "two layers of ln_lstm, adding", task: ["kind": .string("adding")],
      model: [
        "cell": .string("ln_lstm"), "hidden_size": .integer(40), "layers": .integer(2),
      ]),
    Work(
      name: "an lstm in shards",
      task: ["kind": .string("associative_retrieval"), "pairs": .integer(1)],
      model: [
        "cell": .string("lstm"), "hidden_size": .integer(400), "embedding_size": .integer(100),
      ], shards: 4),
    Work(
      name: "a large lstm",
      task: [
        "kind": .string("associative_retrieval"), "pairs": .integer(1), "data": .string("online"),
      ],
      model: [
        "cell": .string("lstm"), "hidden_size": .integer(800), "embedding_size": .integer(100),
      ]),
  ]

  private static func trial(_ work: Work, _ precision: Precision) -> Trial {
    var (task, model) = (work.task, work.model)
    if task["kind"] != .string("music") {
      task["validation_size"] = .integer(40)
      task["test_size"] = .integer(40)
    }
    model["precision"] = .string(precision.rawValue)
    return Trial(
      identity: TrialIdentity(high: 1, low: 2), method: "method", parameters: [],
      configuration: TrialConfiguration(
        task: task, model: model,
        train: [
          "steps": .integer(4), "evaluate_every": .integer(2), "batch_size": .integer(32),
        ], seed: 1,
        metric: MetricGoal(name: "validation.loss", direction: .minimize),
        sharing: GradientSharing(shards: work.shards)))
  }

  private static func assembly() -> TrialAssembly {
    TrialAssembly(data: DataFolder.fromEnvironment(argument: nil)) {
      try decodeOptions($0, from: $1)
    }
  }

  private static func predicted(_ trial: Trial) throws -> TrialMemory {
    let parts = try assembly().parts(of: trial.configuration)
    let network = try #require(parts.network)
    return TrialMemory(network, task: parts.task, options: parts.options)
  }

  /// The most that a trial holds while it trains, evaluates and writes checkpoints; with `resumes`,
  /// of one that was interrupted, from its start.
  private static func measured(_ trial: Trial, resumes: Bool = false) throws -> Int {
    let root = try TemporaryFolder()
    let assembly = assembly()
    func runner() -> TrainingRunner {
      TrainingRunner(TrainingRunner.Settings(checkpoints: root.path)) {
        try assembly.parts(of: $0, team: $1)
      }
    }
    if resumes {
      _ = runner().run(trial, attempt: 1) { $0.step == 3 ? .stop : .proceed }
    }
    var isWhole = false
    let taken = Allocations.during {
      let runner = runner()
      var calls = 0
      let outcome = runner.run(trial, attempt: 1) { _ in
        calls += 1
        // Drawing the first weights takes more for a moment.
        if calls == 1, !resumes { Allocations.resetPeak() }
        return .checkpoint
      }
      if case .finished(let result) = outcome { isWhole = result.status == .complete }
    }
    #expect(isWhole)
    return taken.peak
  }

  @Test(arguments: works, Precision.allCases)
  func aTrialTakesWhatIsPredicted(_ work: Work, _ precision: Precision) throws {
    let trial = Self.trial(work, precision)
    let predicted = try Self.predicted(trial)
    let measured = try Self.measured(trial)
    let ratio = Double(predicted.total) / Double(measured)
    #expect(0.9...1.1 ~= ratio, "\(predicted.total) predicted, \(measured) taken: \(predicted)")
  }

  @Test func aLargeTrialThatGoesOnTakesWhatIsPredicted() throws {
    let trial = Self.trial(try #require(Self.works.last), .float)
    let predicted = try Self.predicted(trial)
    let measured = try Self.measured(trial, resumes: true)
    let ratio = Double(predicted.whileResuming) / Double(measured)
    #expect(0.9...1.1 ~= ratio, "\(predicted.whileResuming) predicted, \(measured) taken")
  }

  @Test func aLargeTrialIsLarge() throws {
    let trial = Self.trial(try #require(Self.works.last), .float)
    #expect(try Self.predicted(trial).total > 50_000_000)
  }

  @Test(.enabled(if: RealData.isExpected, "\(RealData.skipReason)"))
  func aTrialOfMusicTakesWhatIsPredicted() throws {
    let work = Work(
      name: "music", task: ["kind": .string("music")],
      model: ["cell": .string("lstm"), "hidden_size": .integer(100)])
    let trial = Self.trial(work, .float)
    let predicted = try Self.predicted(trial)
    let measured = try Self.measured(trial)
    let ratio = Double(predicted.total) / Double(measured)
    #expect(0.9...1.1 ~= ratio, "\(predicted.total) predicted, \(measured) taken: \(predicted)")
  }

  @Test func theProgramIsReadFromTheKernelsSummary() throws {
    let program = try #require(
      ProgramMemory(rollup: "0-1 rollup\nRss:   40000 kB\nPss: 9 kB\nAnonymous:  5000 kB\n"))
    #expect(program.bytesOfRank == 5_000 * 1024 + 2_500_000)
    #expect(program.sharedBytes == 35_000 * 1024 + 8_000_000)
    #expect(
      program.ofNode(workers: 3, worker: 10)
        == 30 + 4 * program.bytesOfRank + program.sharedBytes)
    #expect(ProgramMemory(rollup: "Rss: much\n") == nil)
  }
}
