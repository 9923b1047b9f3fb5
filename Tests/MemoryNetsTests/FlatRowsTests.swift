import MemoryNets
import Testing

/// Plans in which what does not recur runs over the flat rows of a batch.
@Suite struct FlatRowsTests {
  private static let steps = 5

  private static func shape(
    _ loss: TaskShape.Loss, outputs: Int, vocabulary: Int? = nil
  ) -> TaskShape {
    TaskShape(
      input: vocabulary.map { .tokens(vocabulary: $0) } ?? .features(size: 3),
      outputSize: outputs, loss: loss, outputSteps: .every, maximumSteps: steps)
  }

  /// Few sequences make rows flat, and so do weights that leave the cache.
  private static let cases: [(shape: TaskShape, rows: Int)] = [
    (shape(.softmaxCrossEntropy, outputs: 7, vocabulary: 100), 7),
    (shape(.softmaxCrossEntropy, outputs: 2_700, vocabulary: 4), 20),
    (shape(.sigmoidCrossEntropy, outputs: 5), 3),
    (shape(.squaredError, outputs: 3), 1),
  ]

  private static func network(
    _ cell: String, _ shape: TaskShape, rows: Int, without disabled: Set<PlanPass> = [],
    level: InstructionSet = .best, precision: Precision = .double
  ) throws -> Network {
    let kind = try #require(CellRegistry.kind(named: cell))
    var model = ModelOptions()
    model.layers = 2
    model.dropout = 0.3
    model.precision = precision
    if case .tokens = shape.input { model.embeddingSize = 6 }
    var execution = ExecutionOptions()
    execution.disabledPasses = disabled
    execution.instructionSet = level
    return try Network(
      model: model,
      cell: kind.make(decodeOptions(kind.defaults, from: ["hidden_size": .integer(25)])),
      shape: shape, batchSize: rows, initializationKey: PhiloxKey(1), execution: execution)
  }

  private static func batch(
    _ shape: TaskShape, rows: Int, steps: Int = steps, salt: UInt64 = 0,
    counting: (Int) -> Bool = { _ in true }
  ) -> Batch {
    let batch = Batch(shape: shape, maximumRows: rows)
    batch.resize(rows: rows, steps: steps)
    for row in 0..<rows {
      // Each sequence is drawn by itself, whatever stands beside it.
      var random = PhiloxStream(key: PhiloxKey(3), stream: salt + UInt64(row))
      for step in 0..<steps {
        let i = step * rows + row
        switch shape.input {
        case .tokens(let vocabulary): batch.tokens[i] = Int32(random.integer(below: vocabulary))
        case .features(let size):
          for f in 0..<size { batch.features[i * size + f] = Float(random.normal()) }
        }
        batch.weights[i] = counting(row) ? 1 : 0
        if shape.loss == .softmaxCrossEntropy {
          batch.classes[i] = Int32(random.integer(below: shape.outputSize))
        } else {
          for j in 0..<shape.outputSize {
            batch.targets[i * shape.outputSize + j] = Float(random.integer(below: 2))
          }
        }
      }
    }
    return batch
  }

  private static func gradients(_ network: Network, _ batch: Batch) -> (LossStatistics, [Double]) {
    let statistics = network.train(batch, update: 2, noiseKey: PhiloxKey(1))
    let parameters = network.parameters
    return (statistics, parameters.views.flatMap { parameters.doubles($0, gradient: true) })
  }

  @Test(arguments: CellRegistry.all.map(\.name), cases.indices)
  func agreeWithTilesStepByStep(cell: String, index: Int) throws {
    let (shape, rows) = Self.cases[index]
    let batch = Self.batch(shape, rows: rows)
    for level in InstructionSet.available {
      let flat = try Self.network(cell, shape, rows: rows, level: level)
      let tiles = try Self.network(cell, shape, rows: rows, without: [.flatten], level: level)
      #expect(flat.arenaBytes != tiles.arenaBytes, "nothing was flat")
      let (found, expected) = (Self.gradients(flat, batch), Self.gradients(tiles, batch))
      #expect(abs(found.0.loss - expected.0.loss) <= 1e-12 * expected.0.loss)
      #expect(found.0.correct == expected.0.correct && found.0.weight == expected.0.weight)
      let largest = expected.1.map(abs).max() ?? 1
      #expect(largestDifference(found.1, expected.1) <= 1e-12 * max(1, largest), "at \(level)")
    }
  }

  @Test(arguments: cases.indices) func agreeWithTilesInFloat(index: Int) throws {
    let (shape, rows) = Self.cases[index]
    let batch = Self.batch(shape, rows: rows)
    for level in InstructionSet.available {
      let expected = Self.gradients(
        try Self.network("lstm", shape, rows: rows, without: [.flatten]), batch)
      let found = Self.gradients(
        try Self.network("lstm", shape, rows: rows, level: level, precision: .float), batch)
      let largest = expected.1.map(abs).max() ?? 1
      #expect(abs(found.0.loss - expected.0.loss) <= 1e-5 * expected.0.loss)
      #expect(largestDifference(found.1, expected.1) <= 2e-5 * largest, "at \(level)")
    }
  }

  /// Products by the matrix unit are as near to those of doubles as products by vectors, by tiles
  /// that are full and by others.
  @Test(
    .enabled(if: InstructionSet.available.contains(.amx), "this processor has no matrix unit"),
    arguments: [(7, 1_300), (20, 2_700), (33, 2_601)])
  func theMatrixUnitLosesNoDigits(rows: Int, outputs: Int) throws {
    let shape = Self.shape(.softmaxCrossEntropy, outputs: outputs, vocabulary: 50)
    let batch = Self.batch(shape, rows: rows)
    let exact = Self.gradients(
      try Self.network("lstm", shape, rows: rows, level: .avx512), batch
    ).1
    func error(_ level: InstructionSet) throws -> Double {
      let network = try Self.network("lstm", shape, rows: rows, level: level, precision: .float)
      let found = Self.gradients(network, batch).1
      return zip(found, exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }
    let (byVectors, byTiles) = (try error(.avx512), try error(.amx))
    #expect(byTiles < 1.2 * byVectors)
    #expect(byTiles > 0 && byTiles != byVectors, "both levels took the same way")
  }

  /// Padding and rows of earlier, larger batches leave no trace.
  @Test(arguments: cases.indices) func aSmallerBatchIsThatOfAFreshNetwork(index: Int) throws {
    let (shape, rows) = Self.cases[index]
    let used = try Self.network("fw_lstm", shape, rows: rows)
    _ = Self.gradients(used, Self.batch(shape, rows: rows, salt: 50))
    let small = Self.batch(shape, rows: max(rows - 2, 1), steps: 3)
    let fresh = Self.gradients(try Self.network("fw_lstm", shape, rows: rows), small)
    let found = Self.gradients(used, small)
    #expect(found.0 == fresh.0)
    #expect(found.1 == fresh.1)
  }

  /// A sequence's loss has the same bits whatever the others are and how many there are.
  @Test(arguments: cases.indices) func aSequenceNeverSeesItsNeighbours(index: Int) throws {
    let (shape, rows) = Self.cases[index]
    for precision in Precision.allCases {
      let network = try Self.network("ln_lstm", shape, rows: max(rows, 4), precision: precision)
      let alone = network.evaluate(Self.batch(shape, rows: 1))
      let beside = network.evaluate(
        Self.batch(shape, rows: max(rows, 4), counting: { $0 == 0 }))
      #expect(alone == beside)
    }
  }

  /// An evaluation with more rows than a training batch, in parts that each carry their state.
  @Test(arguments: cases.indices) func aLargeBatchIsEvaluatedInParts(index: Int) throws {
    let (shape, rows) = Self.cases[index]
    let kind = try #require(CellRegistry.kind(named: "lstm"))
    func network(trainingRows: Int) throws -> Network {
      var model = ModelOptions()
      if case .tokens = shape.input { model.embeddingSize = 6 }
      let options = try decodeOptions(kind.defaults, from: ["hidden_size": .integer(25)])
      return try Network(
        model: model, cell: kind.make(options), shape: shape.carryingState, batchSize: 2 * rows + 1,
        trainingRows: trainingRows, initializationKey: PhiloxKey(1))
    }
    let (parts, whole) = (try network(trainingRows: rows), try network(trainingRows: 2 * rows + 1))
    for step in 0..<2 {
      let batch = Self.batch(shape.carryingState, rows: 2 * rows + 1, salt: 100 * UInt64(step))
      batch.firstStep = step * batch.steps
      let (found, expected) = (parts.evaluate(batch), whole.evaluate(batch))
      #expect(abs(found.loss - expected.loss) <= 1e-5 * expected.loss)
      #expect(found.weight == expected.weight && found.correct == expected.correct)
    }
  }

  @Test func aPartOfABatchTakesLessRoom() throws {
    let cell = LSTM(options: LSTM.Options())
    func bytes(_ rowsAtOnce: Int?) throws -> Int {
      try Network(
        model: ModelOptions(), cell: cell, shape: Self.cases[1].shape, batchSize: 160,
        rowsAtOnce: rowsAtOnce, initializationKey: PhiloxKey(1)
      ).arenaBytes
    }
    #expect(try 4 * bytes(16) < bytes(nil))
  }

  /// Gradients are accumulated over the parts of a batch, each with its dropout and its state.
  @Test(arguments: cases.indices) func aLargeBatchIsTrainedInParts(index: Int) throws {
    let (shape, rows) = Self.cases[index]
    let kind = try #require(CellRegistry.kind(named: "lstm"))
    let options = try decodeOptions(kind.defaults, from: ["hidden_size": .integer(25)])
    let all = 2 * rows + 1
    func network(rowsAtOnce: Int?) throws -> Network {
      var model = ModelOptions()
      model.dropout = 0.4
      if case .tokens = shape.input { model.embeddingSize = 6 }
      return try Network(
        model: model, cell: kind.make(options), shape: shape.carryingState, batchSize: all,
        rowsAtOnce: rowsAtOnce, initializationKey: PhiloxKey(1))
    }
    let (parts, whole) = (try network(rowsAtOnce: rows), try network(rowsAtOnce: nil))
    for step in 0..<2 {
      let batch = Self.batch(shape.carryingState, rows: all, salt: 100 * UInt64(step))
      batch.firstStep = step * batch.steps
      let (found, expected) = (Self.gradients(parts, batch), Self.gradients(whole, batch))
      #expect(abs(found.0.loss - expected.0.loss) <= 1e-5 * expected.0.loss)
      #expect(found.0.weight == expected.0.weight)
      let largest = expected.1.map(abs).max() ?? 1
      #expect(largestDifference(found.1, expected.1) <= 2e-5 * largest)
    }
  }

  /// The kernels for few sequences and those for full tiles, at every number of sequences.
  @Test(arguments: Precision.allCases) func fewSequencesKeepEveryBit(precision: Precision) throws {
    let shape = Self.shape(.sigmoidCrossEntropy, outputs: 50)
    for rows in 1...20 {
      for level in InstructionSet.available {
        func results(_ disabled: Set<PlanPass>) throws -> [Double] {
          let network = try Self.network(
            "lstm", shape, rows: rows, without: disabled.union([.flatten]), level: level,
            precision: precision)
          return Self.gradients(network, Self.batch(shape, rows: rows)).1
        }
        #expect(try results([]) == results([.pack]), "\(rows) rows at \(level)")
      }
    }
  }
}

extension TaskShape {
  fileprivate var carryingState: TaskShape {
    TaskShape(
      input: input, outputSize: outputSize, loss: loss, outputSteps: outputSteps,
      maximumSteps: maximumSteps, carriesState: true)
  }
}
