import Foundation
import MemoryNets
import Testing

/// Cells that write a memory as the input says: outputs for numbers from a fill rule, by an
/// independent NumPy program in float64, and what they count.
///
/// P(k)[i] = 0.6 sin(12.9898 (i + 1) + 78.233 k) for i < 3; step t has q = P(10 + t),
/// k = P(20 + t), v = P(30 + t) and gates of its own.
@Suite struct SequenceMemoryTests {
  private static func fill(_ k: Int) -> [Double] {
    (0..<3).map { 0.6 * sin(12.9898 * Double($0 + 1) + 78.233 * Double(k)) }
  }

  /// The outputs after the last of four steps; `body` has the parts of the input: q, k, v and the
  /// numbers of `gates`.
  private func outputs(
    _ gates: [[Double]], without disabled: Set<PlanPass>, level: InstructionSet,
    _ body: @escaping @Sendable ([Vector], StepBuilder) -> Vector
  ) -> [Double] {
    let cell = RecordedStep("golden") { x, g in
      body(
        [x[0..<3], x[3..<6], x[6..<9]] + (9..<x.size).map { x[$0..<$0 + 1] }, g)
    }
    let inputs = (0..<4).map { t in
      Self.fill(10 + t) + Self.fill(20 + t) + Self.fill(30 + t) + gates.map { $0[t] }
    }
    let probe = CellProbe(
      cell: cell, inputSize: 9 + gates.count, steps: 4, batch: 1, precision: .double,
      instructionSet: level, disabledPasses: disabled)
    probe.run(
      inputs: inputs.flatMap(\.self),
      outputWeights: [Double](repeating: 0, count: 4 * probe.outputSize))
    return Array(probe.outputs.suffix(3))
  }

  private func expect(_ actual: [Double], _ expected: [Double]) {
    for (a, b) in zip(actual, expected) { #expect(abs(a - b) <= 6e-9, "\(a) is not \(b)") }
  }

  private let strengths = [0.3, -0.2, 0.8, 0.1]

  @Test(arguments: InstructionSet.available, [Set<PlanPass>(), [.lowerMemories], [.hoist]])
  func deltaRuleMatches(level: InstructionSet, disabled: Set<PlanPass>) {
    let found = outputs([strengths], without: disabled, level: level) { x, g in
      g.deltaRule(
        "S", q: x[0].normalized(), k: x[1].normalized(), v: x[2], beta: sigmoid(x[3]))
    }
    expect(found, [0.11042660, -0.04461094, -0.19176887])
  }

  @Test(arguments: InstructionSet.available, [Set<PlanPass>(), [.lowerMemories], [.hoist]])
  func gatedDeltaRuleMatches(level: InstructionSet, disabled: Set<PlanPass>) {
    let decays = [0.95, 0.8, 0.99, 0.9]
    let found = outputs([strengths, decays], without: disabled, level: level) { x, g in
      g.deltaRule(
        "S", q: x[0].normalized(), k: x[1].normalized(), v: x[2], beta: sigmoid(x[3]),
        decay: x[4])
    }
    expect(found, [0.10333628, -0.05122179, -0.19673257])
  }

  @Test(arguments: InstructionSet.available, [Set<PlanPass>(), [.lowerMemories], [.hoist]])
  func exponentialMemoryMatches(level: InstructionSet, disabled: Set<PlanPass>) {
    let found = outputs([[0.2, 1.5, -0.7, 0.4], [3, 2, 4, 1]], without: disabled, level: level) {
      x, g in
      let gates = g.exponentialGates(i: x[3], f: x[4])
      return g.exponentialMemory("C", "n", q: x[0], k: x[1], v: x[2], gates[0])
    }
    expect(found, [-0.02853260, -0.10300230, -0.15927874])
  }

  @Test func minGRUMatches() {
    var options = MinGRU.Options()
    options.hiddenSize = 3
    let probe = CellProbe(
      cell: MinGRU(options: options), inputSize: 6, steps: 4, batch: 1, precision: .double)
    for (name, first) in [("W_z", 0), ("W_h", 3)] {
      guard let view = probe.parameters.view(named: name) else { continue }
      probe.parameters.set(
        view, to: (0..<18).map { $0 % 6 == first + $0 / 6 ? 1 : 0 })
    }
    probe.run(
      inputs: (0..<4).flatMap { Self.fill(20 + $0) + Self.fill(30 + $0) },
      outputWeights: [Double](repeating: 0, count: 12))
    expect(probe.outputs.suffix(3), [0.46520158, 0.52625586, 0.60723230])
  }

  /// Keys and values that do not recur come from flat rows, into the matrix or into its history.
  @Test func memoriesAreWrittenFromFlatRows() throws {
    try RecordedStep("delta rule") { x, g in
      g.deltaRule(
        "S", q: tanh(g.linear("W_q", x, 4)), k: tanh(g.linear("W_k", x, 4)),
        v: g.linear("W_v", x, 3), beta: sigmoid(g.linear("W_beta", x, 1)))
    }.checkFlatRows()
    try RecordedStep("linear attention") { x, g in
      g.linearAttention(
        "S", "z", q: eluPlusOne(g.linear("W_q", x, 4)), k: eluPlusOne(g.linear("W_k", x, 4)),
        v: g.linear("W_v", x, 3))
    }.checkFlatRows()
  }

  // MARK: - Random features

  /// The outputs of linear attention with keys, queries and values of 3 that are parts of its input, and
  /// what attention with weights kernel(q, k) gives.
  private func attention(
    directions: Int, _ kernel: ([Double], [Double]) -> Double
  ) -> (found: [Double], expected: [Double]) {
    var options = DeltaNet.Options()
    (options.hiddenSize, options.heads, options.convolution) = (3, 1, 1)
    (options.rule, options.outputNorm) = (.sum, .none)
    (options.featureMap, options.favorDirections) = (.favor, directions)
    let probe = CellProbe(
      cell: DeltaNet(options: options), inputSize: 9, steps: 4, batch: 1, precision: .double)
    for (i, name) in ["W_q", "W_k", "W_v"].enumerated() {
      guard let view = probe.parameters.view(named: name) else { continue }
      let numbers: [Double] = (0..<27).map { $0 % 9 == 3 * i + $0 / 9 ? 1 : 0 }
      probe.parameters.set(view, to: numbers)
    }
    if let view = probe.parameters.view(named: "W_o") {
      probe.parameters.set(view, to: [1, 0, 0, 0, 1, 0, 0, 0, 1])
    }
    let inputs: [[Double]] = (0..<4).map { t in
      Self.fill(10 + t) + Self.fill(20 + t) + Self.fill(30 + t)
    }
    probe.run(
      inputs: inputs.flatMap(\.self), outputWeights: [Double](repeating: 0, count: 12))
    let weights: [Double] = (0..<4).map { kernel(Self.fill(13), Self.fill(20 + $0)) }
    var expected = [0.0, 0, 0]
    for (t, weight) in weights.enumerated() {
      let share = weight / weights.reduce(0, +)
      for (i, v) in Self.fill(30 + t).enumerated() { expected[i] += share * v }
    }
    return (Array(probe.outputs.suffix(3)), expected)
  }

  private func inner(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  @Test func randomFeaturesAreThoseOfTheirDirections() {
    let omega = FeatureMap.favorProjection(features: 5, size: 3)
    let (found, expected) = attention(directions: 5) { q, k in
      let scale = exp(-(inner(q, q) + inner(k, k)) / 2) / 10
      return (0..<5).reduce(0.0) { sum, row in
        let u = inner(Array(omega[3 * row..<3 * row + 3]), zip(q, k).map(+))
        return sum + (exp(u) + exp(-u)) * scale
      }
    }
    // The division adds 1e-6 to what it divides by.
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 2e-6, "\(a) is not \(b)") }
  }

  /// Many random features make attention with weights exp(q k), few do not.
  @Test func manyRandomFeaturesComeToSoftmax() {
    func distance(_ directions: Int) -> Double {
      let (found, expected) = attention(directions: directions) { exp(inner($0, $1)) }
      return zip(found, expected).map { abs($0 - $1) }.max() ?? 1
    }
    #expect(distance(3000) < 2e-3)
    #expect(distance(2) > 2e-3)
  }

  @Test func randomDirectionsAreOrthogonalInGroups() {
    let (count, size) = (400, 20)
    let omega = FeatureMap.favorProjection(features: count, size: size)
    func row(_ i: Int) -> [Double] { Array(omega[i * size..<(i + 1) * size]) }
    for i in 1..<20 { #expect(abs(inner(row(i), row(i - 1))) < 1e-12) }
    #expect(abs(inner(row(19), row(20))) > 1e-3)
    // The mean of 400 chi-squares with 20 degrees of freedom, within 4 of its standard errors.
    let mean = (0..<count).reduce(0.0) { $0 + inner(row($1), row($1)) } / Double(count)
    #expect(abs(mean - 20) < 4 * (2.0 * 20 / 400).squareRoot())
  }

  // MARK: - Far from the usual numbers

  /// Gates whose exponentials no Float holds leave everything finite and as the limit says.
  @Test(arguments: Precision.allCases, InstructionSet.available)
  func exponentialGatesStayInRange(precision: Precision, level: InstructionSet) {
    let cell = RecordedStep("gates") { x, g in
      let gates = g.exponentialGates(i: x[0..<1], f: x[1..<2])
      return g.exponentialMemory("C", "n", q: x[2..<3], k: x[2..<3], v: x[3..<4], gates[0])
    }
    let probe = CellProbe(
      cell: cell, inputSize: 4, steps: 3, batch: 1, precision: precision, instructionSet: level)
    probe.run(
      inputs: [500, -300, 1, 2, 300, 600, 1, 5, 900, 20, 1, 3],
      outputWeights: [1, 1, 1])
    // The second write is e^200 times less than the first, the third e^400 times more.
    for (found, expected) in zip(probe.outputs, [2.0, 2.0, 3.0]) {
      #expect(abs(found - expected) <= 1e-5)
    }
    let infinite = probe.inputGradients.filter { !$0.isFinite }
    #expect(infinite.isEmpty)
  }

  /// What is read with the opposite of a key is divided by the magnitude of their product.
  @Test func aReadAgainstTheKeysHasItsSign() {
    let cell = RecordedStep("against the keys") { x, g in
      let gates = g.exponentialGates(i: x[0..<1], f: x[1..<2])
      return g.exponentialMemory("C", "n", q: x[2..<3], k: x[3..<4], v: x[4..<5], gates[0])
    }
    let probe = CellProbe(cell: cell, inputSize: 5, steps: 1, batch: 1, precision: .double)
    probe.run(inputs: [0, 0, -3, 2, 5], outputWeights: [1])
    #expect(abs(probe.outputs[0] + 5) <= 1e-5)
  }

  /// Both gates of a minLSTM closed: their quotient is still that of their exponentials.
  @Test(arguments: Precision.allCases) func minLSTMDividesTinyGates(precision: Precision) {
    var options = MinLSTM.Options()
    options.hiddenSize = 1
    let probe = CellProbe(
      cell: MinLSTM(options: options), inputSize: 3, steps: 2, batch: 1, precision: precision)
    for (i, name) in ["W_f", "W_i", "W_h"].enumerated() {
      guard let view = probe.parameters.view(named: name) else { continue }
      probe.parameters.set(view, to: (0..<3).map { $0 == i ? 1 : 0 })
    }
    // f / (f + i) = 1 / (1 + e) with f = e^-201 and i = e^-200.
    probe.run(inputs: [-200, 200, 0.5, -201, -200, 2.5], outputWeights: [1, 1])
    let keep = 1 / (1 + exp(1.0))
    #expect(abs(probe.outputs[0] - 1) <= 1e-5)
    #expect(abs(probe.outputs[1] - (keep + (1 - keep) * 3)) <= 1e-5)
  }

  // MARK: - What is counted

  /// State and parameters of a cell whose input has 3 features.
  private func counts(_ cell: some RecurrentCell) -> (state: Int, parameters: Int) {
    let g = StepBuilder()
    _ = cell.step(g.input(.features, 3), in: g)
    return (g.graph.stateSize, g.graph.parameterCount)
  }

  @Test func statesAndParametersAreCounted() {
    var delta = DeltaNet.Options()
    delta.hiddenSize = 8
    delta.heads = 2
    delta.valueSize = 3
    // 2 heads of 3 x 4, and 3 steps of q, k, v; W_q, W_k, W_v, their filters, W_beta, norm, W_o.
    var found = counts(DeltaNet(options: delta))
    #expect(found.state == 24 + 3 * 22)
    #expect(found.parameters == 22 * 3 + 22 * 4 + 2 * 3 + 3 + 8 * 6)

    delta.rule = .sum
    delta.featureMap = .dpfp
    delta.dpfpOrder = 2
    delta.convolution = 1
    found = counts(DeltaNet(options: delta))
    #expect(found.state == 2 * (3 * 16 + 16))
    #expect(found.parameters == 22 * 3 + 3 + 8 * 6)

    var mlstm = MLSTM.Options()
    mlstm.hiddenSize = 4
    mlstm.heads = 2
    // Heads of 4 features: matrix, normaliser and maximum, and 3 steps of 8 for the convolution.
    found = counts(MLSTM(options: mlstm))
    #expect(found.state == 2 * (16 + 4 + 1) + 24)
    #expect(found.parameters == 16 * 3 + 3 * 64 + 4 * 8 + 8 + 2 * (2 * 24 + 2) + 8 + 8 + 4 * 8)

    var mamba = Mamba.Options()
    mamba.hiddenSize = 4
    mamba.stateSize = 5
    found = counts(Mamba(options: mamba))
    #expect(found.state == 8 * 5 + 3 * 8)
    #expect(
      found.parameters == 16 * 3 + 4 * 8 + 8 + 8 * 11 + 8 + 8 + 8 * 5 + 8 + 4 * 8)
  }

  @Test func impossibleOptionsAreNamed() {
    var options = DeltaNet.Options()
    options.rule = .sum
    #expect(options.validate().map(\.option) == ["rule"])
    options.featureMap = .dpfp
    options.keySize = 3
    options.dpfpOrder = 6
    #expect(options.validate().map(\.option) == ["dpfp_order"])
    options.dpfpOrder = 5
    #expect(options.validate().isEmpty)
    options.keySize = -1
    options.favorDirections = 0
    #expect(options.validate().map(\.option).contains("key_size"))
    #expect(options.validate().map(\.option).contains("favor_directions"))
  }
}
