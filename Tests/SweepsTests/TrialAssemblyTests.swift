import MemoryNets
import Sweeps
import Testing

@Suite struct TrialAssemblyTests {
  private struct LineOptions: Options {
    var slope = 1
  }

  /// Knows what it was made from.
  private final class MadeTask: SequenceTask {
    let shape = TaskShape(
      input: .features(size: 1), outputSize: 1, loss: .squaredError, outputSteps: .last,
      maximumSteps: 1)
    let baselines: [TrivialBaseline] = []
    let dataDigest = ""
    let slope: Int
    let key: PhiloxKey

    init(slope: Int, key: PhiloxKey) {
      self.slope = slope
      self.key = key
    }

    func fillTraining(_ batch: Batch, update: Int, batchSize: Int) {}
    func evaluationBatchCount(_ split: DataSplit, batchSize: Int) -> Int { 0 }
    func fillEvaluation(_ batch: Batch, split: DataSplit, index: Int, batchSize: Int) {}
  }

  private let assembly = TrialAssembly(
    tasks: [
      TaskKind(name: "line", summary: "A line.", options: LineOptions.self) { options, key, _ in
        MadeTask(slope: options.slope, key: key)
      }
    ], cells: [], data: DataFolder(path: nil)
  ) { defaults, values in
    guard var options = defaults as? LineOptions else { return defaults }
    if case .integer(let slope)? = values["slope"] { options.slope = slope }
    return options
  }

  private func configuration(
    slope: Int = 1, seed: Int = 1, kind: String = "line", cell: String = "lstm"
  ) -> TrialConfiguration {
    TrialConfiguration(
      task: ["kind": .string(kind), "slope": .integer(slope)], model: ["cell": .string(cell)],
      train: [:], seed: seed)
  }

  @Test func aForerunnerMustLeaveTimeForTheModel() throws {
    let assembly = TrialAssembly(data: DataFolder(path: nil)) { try decodeOptions($0, from: $1) }
    let configuration = TrialConfiguration(
      task: ["kind": .string("adding")],
      model: [
        "cell": .string("lmn"), "initialization": .string("hidden_states"),
        "pretrain_steps": .integer(50),
      ], train: ["steps": .integer(50)], seed: 1)
    let shape = try assembly.task(of: configuration).shape
    #expect(throws: OptionProblem.self) {
      try assembly.checkModel(of: configuration, shape: shape)
    }
    #expect(throws: OptionProblem.self) { try assembly.parts(of: configuration) }
  }

  @Test func tasksAreSharedByTrialsThatSeeTheSameSequences() throws {
    let first = try #require(try assembly.task(of: configuration(cell: "lstm")) as? MadeTask)
    #expect(try assembly.task(of: configuration(cell: "gru")) === first)
    #expect(try assembly.task(of: configuration(slope: 2)) !== first)
    let other = try #require(try assembly.task(of: configuration(seed: 2)) as? MadeTask)
    #expect(other !== first && other.key != first.key)
    #expect(first.slope == 1)
    #expect(first.key == configuration().key("data"))
    #expect(try assembly.task(of: configuration()) === first)
  }

  @Test func theTasksUsedLastAreKept() throws {
    let tasks = try (1...4).map { try assembly.task(of: configuration(slope: $0)) }
    #expect(try assembly.task(of: configuration(slope: 1)) === tasks[0])
    _ = try assembly.task(of: configuration(slope: 5))
    #expect(try assembly.task(of: configuration(slope: 1)) === tasks[0])
    #expect(try assembly.task(of: configuration(slope: 2)) !== tasks[1])
  }

  @Test func unknownNamesAreRefusedWithThoseThereAre() {
    #expect(throws: AssemblyError(description: "task.kind: unknown; there are line")) {
      try assembly.parts(of: configuration(kind: "curve"))
    }
    #expect(throws: AssemblyError(description: "model.cell: lstm is unknown; there are ")) {
      try assembly.parts(of: configuration())
    }
  }
}
