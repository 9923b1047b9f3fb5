import MemoryNets
import Testing

/// Gradients summed shard by shard, on one rank and on several.
@Suite struct ShardingTests {
  private static let steps = 6

  /// A model and a task that make a plan of one kind or the other.
  struct Case: CustomTestStringConvertible, Sendable {
    let cell: String
    var vocabulary: Int?
    var outputs = 5
    var loss = TaskShape.Loss.sigmoidCrossEntropy
    var options: [String: OptionValue] = [:]
    /// Whether it is regularised as language models are: tied, with dropout of whole words and of
    /// the same units at all steps.
    var isLanguageModel = false
    /// Of a batch, run together.
    var rowsAtOnce: Int?
    var precision = Precision.float
    var rows = 20
    var shards = 4
    /// Whether the plan sums shard by shard by itself.
    let runsTogether: Bool

    var testDescription: String {
      "\(precision) \(outputs) \(isLanguageModel ? "tied " : "")\(cell) \(loss) \(options.keys.sorted())"
        + " \(rows) in \(shards)" + (rowsAtOnce.map { " \($0) rows at once" } ?? "")
    }

    var shape: TaskShape {
      TaskShape(
        input: vocabulary.map { .tokens(vocabulary: $0) } ?? .features(size: 3),
        outputSize: outputs, loss: loss, outputSteps: .every, maximumSteps: steps,
        carriesState: true)
    }
  }

  static let cases = [
    Case(
      cell: "lstm", vocabulary: 120, outputs: 70, loss: .softmaxCrossEntropy, runsTogether: true),
    // Of several segments, the last of which is no whole part.
    Case(
      cell: "lstm", vocabulary: 120, outputs: 910, loss: .softmaxCrossEntropy, runsTogether: true),
    Case(
      cell: "lstm", vocabulary: 120, outputs: 910, loss: .softmaxCrossEntropy, precision: .double,
      runsTogether: true),
    // The rows of several ranks in one vector.
    Case(
      cell: "lstm", vocabulary: 120, outputs: 300, loss: .softmaxCrossEntropy, rows: 16, shards: 16,
      runsTogether: true),
    Case(
      cell: "lstm", vocabulary: 70, outputs: 70, loss: .softmaxCrossEntropy,
      options: ["weight_drop": .number(0.4)], isLanguageModel: true, runsTogether: true),
    Case(
      cell: "lstm", vocabulary: 120, outputs: 70, loss: .softmaxCrossEntropy, rowsAtOnce: 3,
      runsTogether: false),
    Case(cell: "elman", loss: .squaredError, runsTogether: true),
    Case(
      cell: "lstm", vocabulary: 9, outputs: 6, loss: .softmaxCrossEntropy, runsTogether: false),
    Case(cell: "fw_lstm", runsTogether: false),
    Case(
      cell: "lmn", options: ["orthogonal_penalty": .number(0.1)], runsTogether: false),
    Case(cell: "stable_hadamard", runsTogether: false),
    Case(cell: "exprnn", runsTogether: true),
  ]

  /// What a rank has after a few updates and an evaluation.
  struct Outcome: Hashable, Sendable {
    var losses: [LossStatistics] = []
    var weights: [UInt64] = []
    var state: [UInt8] = []
    var runsTogether = false
    var sharesReadout = false
  }

  private static func network(_ c: Case, _ sharding: Sharding?) throws -> Network {
    let kind = try #require(CellRegistry.kind(named: c.cell))
    var model = ModelOptions()
    model.layers = 2
    model.dropout = 0.3
    model.precision = c.precision
    if c.options["orthogonal_penalty"] != nil { model.layers = 1 }
    if c.vocabulary != nil { model.embeddingSize = 18 }
    if c.isLanguageModel {
      model.embeddingSize = 21
      model.tied = true
      model.inputDropout = 0.2
      model.lockedDropout = true
    }
    var options = c.options
    options["hidden_size"] = .integer(21)
    return try Network(
      model: model, cell: kind.make(decodeOptions(kind.defaults, from: options)), shape: c.shape,
      batchSize: 44, trainingRows: c.rows, rowsAtOnce: c.rowsAtOnce,
      initializationKey: PhiloxKey(1),
      sharding: sharding)
  }

  private static func batch(_ c: Case, rows: Int, number: Int) -> Batch {
    let batch = Batch(shape: c.shape, maximumRows: rows)
    batch.resize(rows: rows, steps: steps)
    batch.firstStep = number * steps
    for row in 0..<rows {
      var random = PhiloxStream(key: PhiloxKey(3), stream: UInt64(number * 100 + row))
      for step in 0..<steps {
        let i = step * rows + row
        if let vocabulary = c.vocabulary {
          batch.tokens[i] = Int32(random.integer(below: vocabulary))
        } else {
          for f in 0..<3 { batch.features[i * 3 + f] = Float(random.normal()) }
        }
        batch.weights[i] = random.uniform() < 0.9 ? 1 : 0
        if c.loss == .softmaxCrossEntropy {
          batch.classes[i] = Int32(random.integer(below: c.outputs))
        } else {
          for j in 0..<c.outputs {
            batch.targets[i * c.outputs + j] = Float(random.integer(below: 2))
          }
        }
      }
    }
    return batch
  }

  private static func outcome(_ c: Case, shards: Int, _ team: ThreadTeam?) throws -> Outcome {
    let network = try network(c, Sharding(shards: shards, team: team))
    let model = ShardedNetwork(network, batchSize: c.rows)
    var train = TrainOptions()
    train.clipNorm = 1
    let optimizer = Optimizer(train, parameters: model.parameters, kernels: model.kernels)
    var outcome = Outcome()
    outcome.runsTogether = network.runsTogether
    outcome.sharesReadout = network.sharesReadout
    for update in 0..<3 {
      let batch = batch(c, rows: c.rows, number: update)
      outcome.losses.append(
        try model.train(batch, update: update, noiseKey: PhiloxKey(4)))
      _ = optimizer.update(learningRate: 0.01)
    }
    // More rows than a batch of the training has, and a number that no shards divide.
    for rows in [20, 44, 19] {
      outcome.losses.append(try model.evaluate(batch(c, rows: rows, number: 0)))
    }
    try model.collectState()
    outcome.state = Array(model.carriedState)
    outcome.weights = model.parameters.views.flatMap {
      model.parameters.doubles($0).map(\.bitPattern)
    }
    return outcome
  }

  @Test(arguments: cases) func anyNumberOfRanksGivesTheSameBits(c: Case) throws {
    let alone = try Self.outcome(c, shards: c.shards, nil)
    #expect(alone.runsTogether == c.runsTogether)
    #expect(alone.losses.allSatisfy { $0.loss > 0 } && alone.state.contains { $0 != 0 })
    for (ranks, sharesWork) in [(2, true), (c.shards, true), (2, false)] {
      let all = try ThreadTeam.run(ranks, sharesWork: sharesWork) {
        try Self.outcome(c, shards: c.shards, $0)
      }
      let who: Comment = "\(ranks) ranks, \(sharesWork ? "work" : "gradients") shared"
      let hasReadout = c.runsTogether && c.loss == .softmaxCrossEntropy
      for rank in all {
        #expect(rank.sharesReadout == (sharesWork && hasReadout), who)
        // Compared by their first difference: all of them would fill pages.
        #expect(rank.losses == alone.losses, who)
        let weight = zip(rank.weights, alone.weights).enumerated().first { $1.0 != $1.1 }
        #expect(weight == nil, who)
        let state = zip(rank.state, alone.state).enumerated().first { $1.0 != $1.1 }
        #expect(state == nil, who)
      }
    }
    #expect(try Self.outcome(c, shards: 2, nil).weights != alone.weights)
  }

  @Test(arguments: cases) func shardsGiveTheGradientOfTheWholeBatch(c: Case) throws {
    let whole = try Self.network(c, nil)
    let model = ShardedNetwork(
      try Self.network(c, Sharding(shards: c.shards)), batchSize: c.rows)
    let batch = Self.batch(c, rows: c.rows, number: 0)
    let expected = whole.train(batch, update: 5, noiseKey: PhiloxKey(4))
    let got = try model.train(batch, update: 5, noiseKey: PhiloxKey(4))
    #expect(abs(got.loss - expected.loss) < 1e-5 * expected.loss)
    #expect(got.weight == expected.weight)
    for (a, b) in zip(whole.parameters.views, model.parameters.views) {
      let expected = whole.parameters.doubles(a, gradient: true)
      let scale = expected.map(abs).max() ?? 0
      let difference = largestDifference(model.parameters.doubles(b, gradient: true), expected)
      #expect(difference <= 2e-5 * scale, "\(a.name)")
    }
  }

  /// A batch that does not divide is run by every rank, whole.
  @Test func aBatchThatDoesNotDivideIsTheSameOnAllRanks() throws {
    @Sendable func gradients(_ team: ThreadTeam?) throws -> [UInt64] {
      let model = ShardedNetwork(
        try Self.network(Self.cases[0], Sharding(shards: 4, team: team)),
        batchSize: Self.cases[0].rows)
      let batch = Self.batch(Self.cases[0], rows: 18, number: 0)
      _ = try model.train(batch, update: 0, noiseKey: PhiloxKey(4))
      return model.parameters.views.flatMap {
        model.parameters.doubles($0, gradient: true).map(\.bitPattern)
      }
    }
    let alone = try gradients(nil)
    #expect(alone.contains { Double(bitPattern: $0) != 0 })
    for rank in try ThreadTeam.run(2, { try gradients($0) }) { #expect(rank == alone) }
  }

  @Test func weightsThatDifferAreReportedWithTheirRanks() throws {
    let results = try ThreadTeam.run(4) { team -> TeamError? in
      let model = ShardedNetwork(
        try Self.network(Self.cases[0], Sharding(shards: 4, team: team)),
        batchSize: Self.cases[0].rows)
      if team.rank == 2 {
        let view = model.parameters.views[1]
        var numbers = model.parameters.doubles(view)
        numbers[0] += 0.5
        model.parameters.set(view, to: numbers)
      }
      let batch = Self.batch(Self.cases[0], rows: Self.cases[0].rows, number: 0)
      do throws(TeamError) {
        _ = try model.train(batch, update: 0, noiseKey: PhiloxKey(4))
        return nil
      } catch {
        return error
      }
    }
    #expect(results == Array(repeating: .disagreement(ranks: [2], step: 0), count: 4))
  }

  @Test func shardsThatRanksCannotShareAreRefused() {
    #expect(Sharding.problem(shards: 4, ranks: 4) == nil)
    for (shards, ranks) in [(3, 1), (0, 1), (128, 1), (4, 8), (4, 3)] {
      #expect(Sharding.problem(shards: shards, ranks: ranks) != nil, "\(shards) on \(ranks)")
    }
  }
}
