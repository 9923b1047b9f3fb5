import Foundation
import MemoryNets
import Testing

extension RecordedStep {
  /// A function of vectors, in a recurrence and outside of one.
  private static func function(
    _ name: String, _ function: @escaping @Sendable (Vector) -> Vector
  ) -> RecordedStep {
    RecordedStep(name) { x, g in
      let h = g.vector("h", 5)
      let outside = function(g.linear("W_1", x, 5))
      let next = g.next(h, function(g.linear("W_2", x, 5) + g.linear("W_h", tanh(h), 5)))
      return concatenate([outside, next, function(next)])
    }
  }

  /// The language of vectors.
  static let vectors: [RecordedStep] = functions + operations

  private static let functions: [RecordedStep] = [
    function("exp") { exp($0) },
    function("log of softplus") { log(softplus($0)) },
    function("silu") { silu($0) },
    function("ELU + 1") { eluPlusOne($0) },
    function("square root") { sqrt($0 * $0 + 0.3) },
    function("reciprocal") { reciprocal(exp($0) + 0.1) },
    function("softmax") { softmax(3 * $0) },
    function("length 1") { $0.normalized() },
    function("RMS norm") { $0.rmsNormalized() },
    function("layer norm without parameters") { $0.standardized() },
    function("sum") { tanh(sum($0)).broadcast(to: $0.size) },
  ]

  private static let operations: [RecordedStep] = [
    RecordedStep("maximum and quotient") { x, g in
      let h = g.vector("h", 4)
      let a = g.linear("W_a", x, 4) + h
      let b = g.linear("W_b", x, 4)
      let next = g.next(h, maximum(a, b) / (1 - -exp(b)))
      return concatenate([next / (dot(a, b) * dot(a, b) + 1), maximum(b, a)])
    },
    RecordedStep("one number and all features") { x, g in
      let h = g.vector("h", 3)
      let s = sigmoid(g.linear("W_s", x, 1))
      let next = g.next(h, s + tanh(h + dot(h, g.linear("W_d", x, 3))))
      return next * sum(next) + g.linear("W_o", x, 1)
    },
    RecordedStep("gains and RMS norm") { x, g in
      let h = g.vector("h", 3)
      let u = g.gain("w", g.linear("W", x, 3))
      let next = g.next(h, tanh(u + g.gain("decay", h, .constant(0.9))))
      return g.rmsNorm(next, "norm") + g.gain("w", next)
    },
    RecordedStep("constants") { x, g in
      let h = g.vector("h", 4)
      let ramp = g.constant([0, 0.25, 0.25, 1])
      let next = g.next(h, ramp * h + g.linear("W", x, 4) - ramp[1..<4].split(3)[2])
      let c = g.vector("c", 2)
      g.next(c, g.constant(2, 2))
      return concatenate([next + ramp, c, g.constant(1.5, 1) * c])
    },
    RecordedStep("delays of an input, a value and what is carried") { x, g in
      let h = g.vector("h", 3)
      let u = g.linear("W", x, 3)
      let conv = g.shortConvolution("conv", u, width: 4)
      let next = g.next(h, tanh(conv + g.linear("W_h", g.delayed(h, by: 2), 3) + 0.1 * h))
      let parts = [
        g.delayed(next, by: 1), g.delayed(x, by: 9), g.delayed(g.delayed(u, by: 1), by: 1),
        g.delayed(next[1..<3], by: 2), g.delayed(h[0..<1], by: 1),
        g.delayed(g.linear("V", x, 4)[1..<3], by: 2), g.delayed(x, by: 0),
      ]
      return concatenate([next] + parts)
    },
    RecordedStep("clocks") { x, g in
      let h = g.vector("h", 3)
      let (tick, slow) = (g.clock(period: 2), g.clock(period: 3))
      let next = g.next(h, tick * tanh(g.linear("W", x, 3)) + (1 - tick) * h)
      return concatenate([next, slow * g.linear("V", next, 2)])
    },
  ]
}

/// The language of vectors.
@Suite struct VectorTests {
  @Test(arguments: RecordedStep.vectors, [Set<PlanPass>(), Set(PlanPass.allCases)])
  func derivativesMatchFiniteDifferences(step: RecordedStep, disabled: Set<PlanPass>) {
    for level in InstructionSet.available {
      step.checkDerivatives(level: level, without: disabled)
    }
  }

  @Test(arguments: RecordedStep.vectors)
  func passesLevelsAndPrecisionsAgree(step: RecordedStep) {
    step.checkPassesAndLevels()
    step.checkFloat()
  }

  @Test(arguments: RecordedStep.vectors, Precision.allCases)
  func aRowHasTheSameBitsAloneAndBesideOthers(step: RecordedStep, precision: Precision) {
    step.checkRowsAlone(precision: precision)
  }

  @Test(arguments: RecordedStep.vectors) func flatRowsAgree(step: RecordedStep) throws {
    try step.checkFlatRows()
  }

  // MARK: - Values

  /// Outputs (steps, outputs) of one sequence.
  private static func outputs(
    _ inputs: [Double], size: Int = 1, precision: Precision = .double,
    level: InstructionSet = .best, _ body: @escaping @Sendable (Vector, StepBuilder) -> Vector
  ) -> [Double] {
    let probe = CellProbe(
      cell: RecordedStep("values", body), inputSize: size, steps: inputs.count / size, batch: 1,
      precision: precision, instructionSet: level)
    probe.run(
      inputs: inputs,
      outputWeights: [Double](repeating: 1, count: inputs.count / size * probe.outputSize))
    return probe.outputs
  }

  @Test(arguments: Precision.allCases) func functionsHaveTheirValues(precision: Precision) {
    let inputs = (-160...160).map { Double(Float($0) / 8) } + [-80, 80, 1e-4, 3e-5]
    for level in InstructionSet.available {
      let y = Self.outputs(inputs, precision: precision, level: level) { x, g in
        concatenate([
          exp(x), softplus(x), silu(x), eluPlusOne(x), log(x * x), sqrt(x * x),
          reciprocal(x + 100),
        ])
      }
      for (i, x) in inputs.enumerated() {
        let expected: [Double] = [
          exp(x), max(x, 0) + log1p(exp(-abs(x))), x / (1 + exp(-x)), x > 0 ? x + 1 : exp(x),
          x == 0 ? log(precision == .float ? 0x1p-126 : 0x1p-1022) : log(x * x), abs(x),
          1 / (x + 100),
        ]
        let tolerance = precision == .float ? 1.5e-6 : 1e-14
        for (j, (a, b)) in zip(y[i * 7..<i * 7 + 7], expected).enumerated() {
          // What is small is still exact to its own digits, but for silu, whose sigmoid is not.
          let scale = j == 2 ? max(1, abs(x)) : j == 4 ? max(1, abs(b)) : abs(b)
          #expect(abs(a - b) <= tolerance * scale, "function \(j) of \(x) at \(level)")
        }
      }
    }
  }

  @Test func delaysGiveWhatWasThatManyStepsAgo() {
    let y = Self.outputs([1, 2, 3, 4, 5]) { x, g in
      concatenate([g.delayed(x, by: 1), g.delayed(x, by: 3), g.delayed(x, by: 7)])
    }
    #expect(y == [0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 1, 0, 4, 2, 0])
  }

  @Test func delayedValuesAreCountedAsState() {
    let step = RecordedStep("delays") { x, g in
      let h = g.vector("h", 3)
      g.next(h, g.linear("W", x, 3))
      return concatenate([g.delayed(x, by: 2), g.delayed(x, by: 5), g.delayed(h, by: 3)])
    }
    #expect(step.probe().states.map(\.size).sorted() == [2 * 5, 3 * 4])
  }

  @Test func clocksTickOncePerPeriod() {
    let y = Self.outputs([0, 0, 0, 0, 0]) { _, g in
      concatenate([g.clock(period: 1), g.clock(period: 2), g.clock(period: 3)])
    }
    #expect(y == [1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0])
  }

  @Test func normsHaveTheirLengths() {
    let y = Self.outputs([3, -4, 12, 0.5], size: 4) { x, _ in
      concatenate([
        x.normalized(epsilon: 0), x.rmsNormalized(epsilon: 0), x.standardized(epsilon: 0),
        softmax(x),
      ])
    }
    func squares(_ part: ArraySlice<Double>) -> Double { part.reduce(0) { $0 + $1 * $1 } }
    #expect(abs(squares(y[0..<4]) - 1) < 1e-12)
    #expect(abs(squares(y[4..<8]) - 4) < 1e-12)
    #expect(abs(squares(y[8..<12]) - 4) < 1e-12)
    #expect(abs(y[8..<12].reduce(0, +)) < 1e-12)
    #expect(abs(y[12..<16].reduce(0, +) - 1) < 1e-12)
    #expect(abs(y[0] / y[1] + 0.75) < 1e-12)
  }

  // MARK: - Detached gradients

  /// Gradients of sum over steps and sequences of detach(x) for inputs of size 2.
  private static func detached(
    _ probability: Double, update: Int, rows: Int, precision: Precision = .double
  ) throws -> [Double] {
    let shape = TaskShape(
      input: .features(size: 2), outputSize: 1, loss: .squaredError, outputSteps: .every,
      maximumSteps: 8)
    let cell = RecordedStep("detached") { x, g in
      g.detach(g.gain("w", x), probability: probability)
    }
    var model = ModelOptions()
    model.precision = precision
    let network = try Network(
      model: model, cell: cell, shape: shape, batchSize: rows, initializationKey: PhiloxKey(1))
    let readout = try #require(network.parameters.view(named: "readout.W"))
    network.parameters.set(readout, to: [1, 1])
    let batch = Batch(shape: shape, maximumRows: rows)
    batch.resize(rows: rows, steps: 8)
    for i in batch.features.indices { batch.features[i] = 1 }
    for i in batch.weights.indices { batch.weights[i] = 1 }
    _ = network.train(batch, update: update, noiseKey: PhiloxKey(3))
    let w = try #require(network.parameters.view(named: "layer0.w"))
    return network.parameters.doubles(w, gradient: true)
  }

  @Test func aDetachedValueHasNoGradient() throws {
    #expect(try Self.detached(1, update: 0, rows: 20) == [0, 0])
  }

  /// The gradient is that of the steps that are kept: whole steps, as many as the probability says.
  @Test(arguments: [3, 20, 400]) func aStepIsDetachedAsAWholeOrNot(rows: Int) throws {
    let whole = try Self.detached(0, update: 0, rows: rows)
    var shares: [Double] = []
    for update in 0..<8 {
      let some = try Self.detached(0.25, update: update, rows: rows)
      #expect(abs(some[0] - some[1]) < 1e-12)
      shares.append(some[0] / whole[0])
      let steps = shares[update] * Double(8 * rows)
      #expect(abs(steps - steps.rounded()) < 1e-9)
      #expect(try Self.detached(0.25, update: update, rows: rows) == some)
    }
    #expect(Set(shares).count > 1)
    let mean = shares.reduce(0, +) / 8
    #expect(abs(mean - 0.75) < 4 * (0.75 * 0.25 / Double(64 * rows)).squareRoot())
  }
}
