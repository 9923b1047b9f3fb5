import MemoryNets
import Testing

/// What passes of the plan may and may not change.
@Suite struct PlanPassTests {
  private static let tokens = TaskShape(
    input: .tokens(vocabulary: 5), outputSize: 5, loss: .softmaxCrossEntropy, outputSteps: .last,
    maximumSteps: 4)

  /// More words than a tile has tokens.
  private static let words = TaskShape(
    input: .tokens(vocabulary: 64), outputSize: 5, loss: .softmaxCrossEntropy,
    outputSteps: .every, maximumSteps: 4)

  private static func benchmark(
    _ cell: CellKind, _ shape: TaskShape, embedding: Int, without disabled: Set<PlanPass>,
    level: InstructionSet = .best
  ) throws -> TrainingBenchmark {
    var model = ModelOptions()
    model.embeddingSize = embedding
    model.precision = .double
    var execution = ExecutionOptions()
    execution.disabledPasses = disabled
    execution.instructionSet = level
    let options = try decodeOptions(cell.defaults, from: ["hidden_size": .integer(19)])
    return try TrainingBenchmark(
      model: model, cell: cell.make(options), shape: shape, batchSize: 18, train: TrainOptions(),
      execution: execution)
  }

  /// The loss and all gradients of one batch of two tiles.
  private static func results(_ benchmark: TrainingBenchmark) -> [Double] {
    let network = benchmark.network
    let statistics = network.train(benchmark.batch, update: 0, noiseKey: PhiloxKey(1))
    let parameters = network.parameters
    return [statistics.loss] + parameters.views.flatMap { parameters.doubles($0, gradient: true) }
  }

  @Test(arguments: CellRegistry.all.map(\.name), [0, 17])
  func eachPassAgreesWithItsAbsence(cell: String, embedding: Int) throws {
    let kind = try #require(CellRegistry.kind(named: cell))
    for level in InstructionSet.available {
      let expected = Self.results(
        try Self.benchmark(
          kind, Self.tokens, embedding: embedding, without: Set(PlanPass.allCases), level: level))
      let largest = expected.map(abs).max() ?? 1
      for disabled in PlanPass.allCases.map({ Set([$0]) }) + [[]] {
        let found = Self.results(
          try Self.benchmark(
            kind, Self.tokens, embedding: embedding, without: disabled, level: level))
        for (a, b) in zip(expected, found) {
          #expect(abs(a - b) <= 1e-12 * max(1, largest), "without \(disabled) at \(level)")
        }
      }
    }
  }

  @Test(arguments: [0, 17])
  func packingKeepsEveryBit(embedding: Int) throws {
    for kind in CellRegistry.all {
      let packed = try Self.benchmark(kind, Self.tokens, embedding: embedding, without: [])
      let plain = try Self.benchmark(kind, Self.tokens, embedding: embedding, without: [.pack])
      #expect(Self.results(packed) == Self.results(plain), "\(kind.name)")
    }
  }

  @Test func tokensAreFoldedOnlyIntoTablesSmallerThanATile() throws {
    let kind = try #require(CellRegistry.kind(named: "lstm"))
    func bytes(_ shape: TaskShape, _ disabled: Set<PlanPass>) throws -> Int {
      try Self.benchmark(kind, shape, embedding: 17, without: disabled).network.arenaBytes
    }
    #expect(try bytes(Self.tokens, []) != bytes(Self.tokens, [.fold]))
    #expect(try bytes(Self.words, []) == bytes(Self.words, [.fold]))
  }
}
