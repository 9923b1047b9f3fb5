import Foundation
import MemoryNets
import Testing

/// Whole models: input map, layers, read-out and loss, as training runs them.
@Suite struct NetworkTests {
  private static func shape(
    _ input: TaskShape.Input, _ loss: TaskShape.Loss, _ answers: TaskShape.OutputSteps,
    carries: Bool = false
  ) -> TaskShape {
    TaskShape(
      input: input, outputSize: 3, loss: loss, outputSteps: answers, maximumSteps: 5,
      carriesState: carries)
  }

  private static let shapes: [TaskShape] = [
    shape(.tokens(vocabulary: 4), .softmaxCrossEntropy, .last),
    shape(.tokens(vocabulary: 4), .softmaxCrossEntropy, .every),
    shape(.features(size: 2), .sigmoidCrossEntropy, .every),
    shape(.features(size: 2), .squaredError, .last),
  ]

  /// A batch of 18 rows, two tiles, with some answers that do not count.
  private static func batch(_ shape: TaskShape, rows: Int = 18, steps: Int = 5, salt: UInt64 = 0)
    -> Batch
  {
    let batch = Batch(shape: shape, maximumRows: rows)
    batch.resize(rows: rows, steps: steps)
    var random = PhiloxStream(key: PhiloxKey(3), stream: salt)
    if case .tokens(let vocabulary) = shape.input {
      for i in 0..<steps * rows { batch.tokens[i] = Int32(random.integer(below: vocabulary)) }
    } else {
      for i in 0..<steps * rows * 2 { batch.features[i] = Float(random.normal()) }
    }
    for i in 0..<batch.answers * rows {
      batch.weights[i] = random.integer(below: 4) == 0 ? 0 : 1
      if shape.loss == .softmaxCrossEntropy {
        batch.classes[i] = Int32(random.integer(below: 3))
      } else {
        for j in 0..<3 { batch.targets[i * 3 + j] = Float(random.integer(below: 2)) }
      }
    }
    return batch
  }

  private static func network(
    _ shape: TaskShape, cell: any RecurrentCell, batchSize: Int = 18,
    disabled: Set<PlanPass> = [], change: (inout ModelOptions) -> Void = { _ in }
  ) throws -> Network {
    var model = ModelOptions()
    model.precision = .double
    change(&model)
    var execution = ExecutionOptions()
    execution.disabledPasses = disabled
    return try Network(
      model: model, cell: cell, shape: shape, batchSize: batchSize,
      initializationKey: PhiloxKey(1), execution: execution)
  }

  private static var lstm: LSTM {
    var options = LSTM.Options()
    options.hiddenSize = 4
    return LSTM(options: options)
  }

  private static var fastWeightLSTM: FastWeightLSTM {
    var options = FastWeightLSTM.Options()
    options.hiddenSize = 4
    return FastWeightLSTM(options: options)
  }

  /// 18 rows are two tiles; 6 are few enough to be flat.
  private static let plans: [(rows: Int, disabled: Set<PlanPass>)] = [
    (18, []), (18, [.hoist]), (18, [.defer]), (18, Set(PlanPass.allCases)), (6, []),
  ]

  @Test(arguments: shapes.indices, plans.indices)
  func gradientsMatchFiniteDifferences(
    shape: Int, plan: Int
  ) throws {
    let (shape, plan) = (Self.shapes[shape], Self.plans[plan])
    for cell in [Self.lstm, Self.fastWeightLSTM] as [any RecurrentCell] {
      let network = try Self.network(
        shape, cell: cell, batchSize: plan.rows, disabled: plan.disabled
      ) {
        $0.layers = 2
        $0.readoutSize = 3
        $0.dropout = 0.3
        if case .tokens = shape.input { $0.embeddingSize = 3 }
      }
      // Off the start: with biases of 0 a dropped input stands on the kink of a ReLU.
      for view in network.parameters.views {
        var random = PhiloxStream(key: PhiloxKey(5).derived(view.name), stream: 0)
        let centre = view.name.hasSuffix("gain") ? 1.0 : 0.0
        network.parameters.set(
          view, to: (0..<view.count).map { _ in centre + 0.4 * random.normal() })
      }
      Self.checkGradients(network, Self.batch(shape, rows: plan.rows))
    }
  }

  /// Central differences against some elements of every parameter.
  private static func checkGradients(_ network: Network, _ batch: Batch) {
    func loss() -> Double {
      let statistics = network.train(batch, update: 4, noiseKey: PhiloxKey(9))
      return statistics.loss / statistics.weight
    }
    _ = loss()
    let parameters = network.parameters
    let gradients = parameters.views.map { parameters.doubles($0, gradient: true) }
    for (view, gradient) in zip(parameters.views, gradients) {
      let start = parameters.doubles(view)
      for i in stride(from: 0, to: view.count, by: 1 + view.count / 7) {
        func at(_ change: Double) -> Double {
          var changed = start
          changed[i] += change
          parameters.set(view, to: changed)
          return loss()
        }
        let numeric = (at(1e-6) - at(-1e-6)) / 2e-6
        #expect(
          abs(numeric - gradient[i]) <= 1e-6 * max(1, abs(numeric)), "\(view.name)[\(i)]")
      }
      parameters.set(view, to: start)
    }
  }

  /// Tied outputs, dropped recurrent weights and locked dropout, which language models have.
  @Test(arguments: plans.indices)
  func gradientsOfLanguageModelsMatchFiniteDifferences(plan: Int) throws {
    let plan = Self.plans[plan]
    let shape = Self.shape(.tokens(vocabulary: 3), .softmaxCrossEntropy, .every)
    var cell = LSTM.Options()
    (cell.hiddenSize, cell.weightDrop) = (4, 0.4)
    let network = try Self.network(
      shape, cell: LSTM(options: cell), batchSize: plan.rows, disabled: plan.disabled
    ) {
      ($0.layers, $0.embeddingSize, $0.tied, $0.initialRange) = (2, 4, true, 0.5)
      ($0.dropout, $0.inputDropout, $0.lockedDropout) = (0.3, 0.2, true)
    }
    #expect(network.parameters.view(named: "readout.W") == nil)
    #expect(network.parameters.view(named: "layer1.W_h")?.shape == [16, 4])
    Self.checkGradients(network, Self.batch(shape, rows: plan.rows))
  }

  @Test func whatIsDroppedInTrainingIsThereInEvaluation() throws {
    let shape = Self.shape(.tokens(vocabulary: 3), .softmaxCrossEntropy, .every)
    var options = LSTM.Options()
    options.hiddenSize = 4
    let whole = try Self.network(shape, cell: LSTM(options: options)) { $0.initialRange = 1 }
    options.weightDrop = 0.5
    let dropped = try Self.network(shape, cell: LSTM(options: options)) { $0.initialRange = 1 }
    let batch = Self.batch(shape)
    let losses = (0..<4).map { dropped.train(batch, update: $0, noiseKey: PhiloxKey(2)).loss }
    #expect(Set(losses).count == 4)
    #expect(dropped.train(batch, update: 2, noiseKey: PhiloxKey(2)).loss == losses[2])
    #expect(dropped.evaluate(batch).loss == whole.evaluate(batch).loss)
  }

  @Test func aTiedEmbeddingOfAnotherSizeIsRefused() {
    let shape = Self.shape(.tokens(vocabulary: 3), .softmaxCrossEntropy, .every)
    #expect {
      _ = try Self.network(shape, cell: Self.lstm) { ($0.embeddingSize, $0.tied) = (5, true) }
    } throws: { error in
      guard let problem = error as? OptionProblem else { return false }
      return problem.option == "tied" && problem.problem.contains("embedding_size 4 is possible")
    }
  }

  @Test func matricesThatAreDrawnStayWithinTheInitialRange() throws {
    let shape = Self.shapes[1]
    let network = try Self.network(shape, cell: Self.fastWeightLSTM) {
      ($0.embeddingSize, $0.initialRange) = (3, 0.01)
    }
    for view in network.parameters.views {
      let values = network.parameters.doubles(view)
      let largest = values.map(abs).max() ?? 0
      if view.shape.count == 2 {
        #expect(largest <= 0.01 && largest > 0.005, "\(view.name)")
      } else if view.name.hasSuffix("gain") {
        #expect(values.allSatisfy { $0 == 1 })
      }
    }
  }

  /// The derived counts for an embedding of 100, a read-out of 100 units and 37 tokens.
  ///
  /// They are of
  /// a program that gives both the input and the recurrent product a bias; ours has the one that
  /// counts, so theirs have `redundant` more.
  @Test(arguments: [
    ("fw_rnn", 20, 12_017, 1), ("fw_lstm", 20, 19_497, 4), ("ln_lstm", 20, 19_497, 4),
    ("fw_rnn", 50, 20_237, 1), ("fw_lstm", 50, 43_437, 4), ("ln_lstm", 50, 43_437, 4),
    ("fw_rnn", 100, 37_937, 1), ("fw_lstm", 100, 99_337, 4), ("ln_lstm", 100, 99_337, 4),
  ])
  func parameterCountsAreTheKnownOnes(
    cell: String, hidden: Int, count: Int, redundant: Int
  ) throws {
    let kind = try #require(CellRegistry.kind(named: cell))
    let options = try decodeOptions(kind.defaults, from: ["hidden_size": .integer(hidden)])
    let shape = TaskShape(
      input: .tokens(vocabulary: 37), outputSize: 37, loss: .softmaxCrossEntropy,
      outputSteps: .last, maximumSteps: 11)
    let network = try Self.network(shape, cell: kind.make(options)) {
      $0.embeddingSize = 100
      $0.readoutSize = 100
    }
    #expect(network.parameterCount + redundant * hidden == count)
  }

  @Test func stateSizesCountWhatIsCarried() throws {
    let shape = Self.shapes[0]
    #expect(try Self.network(shape, cell: Self.lstm).stateSize == 8)
    #expect(try Self.network(shape, cell: Self.fastWeightLSTM).stateSize == 8 + 16)
  }

  @Test func evaluationHasNoDropout() throws {
    let shape = Self.shapes[1]
    let batch = Self.batch(shape)
    let with = try Self.network(shape, cell: Self.lstm) { $0.dropout = 0.5 }
    let without = try Self.network(shape, cell: Self.lstm)
    #expect(with.evaluate(batch) == without.evaluate(batch))
    let trained = with.train(batch, update: 0, noiseKey: PhiloxKey(1))
    #expect(trained != without.evaluate(batch))
    #expect(with.train(batch, update: 0, noiseKey: PhiloxKey(1)) == trained)
    #expect(with.train(batch, update: 1, noiseKey: PhiloxKey(1)) != trained)
  }

  /// Two batches that continue each other are the sequence in one piece.
  @Test(arguments: [18, 6]) func carriedStateContinuesTheSequence(rows: Int) throws {
    let shape = Self.shape(.features(size: 2), .sigmoidCrossEntropy, .every, carries: true)
    for cell in [Self.lstm, Self.fastWeightLSTM] as [any RecurrentCell] {
      let whole = Self.batch(shape, rows: rows, steps: 5)
      let network = try Self.network(shape, cell: cell, batchSize: rows)
      let expected = network.evaluate(whole)
      var sum = LossStatistics()
      for (first, count) in [(0, 2), (2, 3)] {
        let part = Batch(shape: shape, maximumRows: rows)
        part.resize(rows: rows, steps: count)
        part.firstStep = first
        for i in 0..<count * rows {
          let from = first * rows + i
          part.weights[i] = whole.weights[from]
          for j in 0..<2 { part.features[i * 2 + j] = whole.features[from * 2 + j] }
          for j in 0..<3 { part.targets[i * 3 + j] = whole.targets[from * 3 + j] }
        }
        sum += network.evaluate(part)
      }
      #expect(abs(sum.loss - expected.loss) <= 1e-12 * expected.loss)
      #expect(sum.correct == expected.correct && sum.weight == expected.weight)
    }
  }

  /// Numbers below the smallest normal one cost a hundred times the usual: they count as 0, but only
  /// within a network's own work.
  @Test func denormalNumbersCountAsZeroInsideAndAsTheyAreOutside() throws {
    let shape = Self.shapes[2]
    let batch = Self.batch(shape)
    var options = Elman.Options()
    options.hiddenSize = 4
    func loss(readout: Double) throws -> LossStatistics {
      let network = try Self.network(shape, cell: Elman(options: options)) {
        $0.precision = .float
      }
      for view in network.parameters.views where view.name.hasPrefix("readout") {
        network.parameters.set(view, to: [Double](repeating: readout, count: view.count))
      }
      return network.train(batch, update: 0, noiseKey: PhiloxKey(1))
    }
    #expect(try loss(readout: 1e-40) == loss(readout: 0))
    #expect(Float.leastNonzeroMagnitude * Float(batch.rows) > 0)
  }

  @Test func anEmbeddingOfVectorsIsRefused() throws {
    #expect(throws: OptionProblem.self) {
      _ = try Self.network(Self.shapes[3], cell: Self.lstm) { $0.embeddingSize = 8 }
    }
  }
}
