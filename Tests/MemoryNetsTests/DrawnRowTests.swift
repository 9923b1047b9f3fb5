import MemoryNets
import Testing

/// Rows of a parameter that are drawn at random at every step.
@Suite struct DrawnRowTests {
  /// The rows that 40 sequences draw at 50 steps (steps, sequences), and the gradient of a table of
  /// 7 rows under output weights of 1.
  private static func drawn(
    of choices: Int, isShared: Bool, isTraining: Bool = true, level: InstructionSet = .best
  ) -> (rows: [Int], gradient: [Double]) {
    let cell = RecordedStep("drawn row") { _, g in
      g.drawnRow("table", of: choices, rows: 7, 1, isShared: isShared, .constant(0))
    }
    let probe = CellProbe(
      cell: cell, inputSize: 1, steps: 50, batch: 40, precision: .double, instructionSet: level,
      isTraining: isTraining)
    let table = probe.parameters.views[0]
    probe.parameters.set(table, to: (0..<7).map { Double($0) })
    probe.run(
      inputs: [Double](repeating: 0, count: 2000),
      outputWeights: [Double](repeating: 1, count: 2000))
    return (probe.outputs.map { Int($0) }, probe.parameters.doubles(table, gradient: true))
  }

  private static func counts(_ rows: some Sequence<Int>) -> [Double] {
    rows.reduce(into: [Double](repeating: 0, count: 7)) { $0[$1] += 1 }
  }

  @Test(arguments: InstructionSet.available)
  func everyRowIsDrawnEquallyOften(level: InstructionSet) {
    let (rows, gradient) = Self.drawn(of: 7, isShared: false, level: level)
    let counts = Self.counts(rows)
    // Five deviations of a binomial count of 2000 draws.
    for count in counts { #expect(abs(count - 2000 / 7) < 5 * 15.7) }
    #expect(gradient == counts)
    #expect(
      Self.counts(Self.drawn(of: 3, isShared: false, level: level).rows)[3...] == [0, 0, 0, 0])
    #expect(Set(Self.drawn(of: 1, isShared: false, level: level).rows) == [0])
  }

  @Test func aSharedDrawIsTheSameForAllSequences() {
    let rows = Self.drawn(of: 7, isShared: true).rows
    let steps = stride(from: 0, to: 2000, by: 40).map { Set(rows[$0..<$0 + 40]) }
    #expect(steps.allSatisfy { $0.count == 1 })
    #expect(Set(steps).count == 7)
  }

  @Test func inEvaluationAllSequencesDrawTheSame() {
    let own = Self.drawn(of: 7, isShared: false, isTraining: false).rows
    #expect(own == Self.drawn(of: 7, isShared: true, isTraining: false).rows)
    #expect((0..<2000).allSatisfy { own[$0] == own[$0 / 40 * 40] })
    #expect(Set(own).count == 7)
  }

  /// A function of the update in training; in evaluation always the same.
  @Test(arguments: [3, 20]) func drawsDependOnTheUpdate(rows: Int) throws {
    let shape = TaskShape(
      input: .features(size: 2), outputSize: 1, loss: .squaredError, outputSteps: .every,
      maximumSteps: 8)
    let cell = RecordedStep("drawn row") { x, g in
      g.drawnRow("table", of: 5, rows: 5, 3, isShared: false, .normal(1))
    }
    var model = ModelOptions()
    model.precision = .double
    let network = try Network(
      model: model, cell: cell, shape: shape, batchSize: rows, initializationKey: PhiloxKey(1))
    let batch = Batch(shape: shape, maximumRows: rows)
    batch.resize(rows: rows, steps: 8)
    for i in batch.weights.indices { batch.weights[i] = 1 }
    let before = network.evaluate(batch).loss
    let losses = [1, 2, 1].map {
      network.train(batch, update: $0, noiseKey: PhiloxKey(3)).loss
    }
    #expect(losses[0] == losses[2])
    #expect(losses[0] != losses[1])
    #expect(network.evaluate(batch).loss == before)
  }
}
