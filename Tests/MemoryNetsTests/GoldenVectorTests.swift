import Foundation
import MemoryNets
import Testing

/// Outputs after the last step for weights from a fill rule, by an independent NumPy program in
/// float64: P(shape, k)[i] = 0.6 sin(12.9898 (i + 1) + 78.233 k), E = 3, H = 5, T = 4,
/// x_t[e] = sin(0.9 t + 0.4 e).
@Suite struct GoldenVectorTests {
  private static func fill(_ count: Int, _ k: Int) -> [Double] {
    (0..<count).map { 0.6 * sin(12.9898 * Double($0 + 1) + 78.233 * Double(k)) }
  }

  private func probe(
    _ cell: any RecurrentCell, _ parameters: [String: [Double]], disabled: Set<PlanPass> = []
  ) -> CellProbe {
    let probe = CellProbe(
      cell: cell, inputSize: 3, steps: 4, batch: 1, precision: .double, disabledPasses: disabled)
    for (name, numbers) in parameters {
      if let view = probe.parameters.view(named: name) { probe.parameters.set(view, to: numbers) }
    }
    let inputs = (0..<4).flatMap { t in (0..<3).map { sin(0.9 * Double(t) + 0.4 * Double($0)) } }
    probe.run(inputs: inputs, outputWeights: [Double](repeating: 0, count: 4 * 5))
    return probe
  }

  private func expect(_ actual: some Sequence<Double>, _ expected: [Double]) {
    for (a, b) in zip(actual, expected) { #expect(abs(a - b) <= 6e-9, "\(a) is not \(b)") }
  }

  private var fastWeights: [String: [Double]] {
    ["W_x": Self.fill(15, 1), "W_h": Self.fill(25, 2), "b": Self.fill(5, 3)]
  }

  private func fastWeightRNN(_ order: FastWeightRNN.Order, steps: Int = 1) -> FastWeightRNN {
    var options = FastWeightRNN.Options()
    options.hiddenSize = 5
    options.decay = 0.9
    options.rate = 0.5
    options.order = order
    options.innerSteps = steps
    return FastWeightRNN(options: options)
  }

  @Test(arguments: [Set<PlanPass>(), [.lowerMemories]])
  func fastWeightRNNMatches(disabled: Set<PlanPass>) {
    let ba = probe(fastWeightRNN(.readThenWrite), fastWeights, disabled: disabled)
    expect(ba.outputs.suffix(5), [0.47898059, 0, 0, 1.72009103, 0])
    let keller = probe(fastWeightRNN(.writeThenRead), fastWeights, disabled: disabled)
    expect(keller.outputs.suffix(5), [1.08745265, 0, 0, 1.29270320, 0])
    let three = probe(fastWeightRNN(.readThenWrite, steps: 3), fastWeights, disabled: disabled)
    expect(three.outputs.suffix(5), [0, 0, 0, 1.95863811, 0])
  }

  @Test func fastWeightMemoryMatches() {
    let ba = probe(fastWeightRNN(.readThenWrite), fastWeights, disabled: [.lowerMemories])
    expect(
      ba.finalStates["A"] ?? [],
      [
        0.11471120, 0, 0, 0.41194511, 0, 0, 0, 0, 0, 0, 0, 0, 0.06377757, 0.24389479, 0,
        0.41194511, 0, 0.24389479, 5.57427583, 0, 0, 0, 0, 0, 0,
      ])
  }

  @Test func weiNetMatches() {
    var options = WeiNet.Options()
    options.hiddenSize = 5
    var parameters = fastWeights
    parameters["W_decay"] = Self.fill(25, 4).map { 0.9 + 0.1 * $0 }
    parameters["W_write"] = Self.fill(25, 5).map { 0.5 + 0.2 * $0 }
    let net = probe(WeiNet(options: options), parameters)
    expect(net.outputs.suffix(5), [0.49843641, 0, 0, 1.70970245, 0])
    expect(
      net.finalStates["A"] ?? [],
      [
        0.15093123, 0, 0, 0.40983365, 0, 0, 0, 0, 0, 0, 0, 0, 0.06225421, 0.24349703, 0,
        0.51440343, 0, 0.26097927, 5.48820085, 0, 0, 0, 0, 0, 0,
      ])
  }

  private var gates: [String: [Double]] {
    ["W_x": Self.fill(60, 6), "W_h": Self.fill(100, 7), "b": Self.fill(20, 8)]
  }

  @Test func fastWeightLSTMMatches() {
    var options = FastWeightLSTM.Options()
    options.hiddenSize = 5
    let net = probe(FastWeightLSTM(options: options), gates)
    expect(net.outputs.suffix(5), [0, 0, 1.29665905, 0.10842807, 0])
    expect(
      net.finalStates["c"] ?? [],
      [-0.50184356, -0.87878365, 1.77965615, 0.40421582, -0.80324475])
  }

  @Test func jointLayerNormLSTMMatches() {
    var options = LayerNormLSTM.Options()
    options.hiddenSize = 5
    options.variant = .joint
    let net = probe(LayerNormLSTM(options: options), gates)
    expect(net.outputs.suffix(5), [0, 0, 1.34865320, 0.04735698, 0])
    expect(
      net.finalStates["c"] ?? [],
      [-0.35921947, -0.93616559, 1.85107914, 0.17684405, -0.73253812])
  }

  /// A matrix of least squares by itself: d = 3, q = P(10 + t), k = P(20 + t), v = P(30 + t), all of
  /// ridge 1.
  @Test func leastSquaresOverTheKeysMatch() {
    struct Cell: RecurrentCell {
      func step(_ x: Vector, in g: StepBuilder) -> Vector {
        let (q, k, v) = (x[0..<3].normalized(), x[3..<6].normalized(), x[6..<9])
        let (beta, gamma) = (sigmoid(x[9..<10]), x[10..<11])
        let (H, K) = (g.matrix("H", 3, 3), g.matrix("K", 3, 3))
        let nextH = g.next(H, gamma * H + outer(beta * k, k))
        let nextK = g.next(K, gamma * K + outer(beta * k, v))
        return nextK.readTransposed(nextH.solve(q, diagonal: g.constant(1, 3)))
      }
    }
    let (rates, kept) = ([0.3, -0.2, 0.8, 0.1], [0.95, 0.8, 0.99, 0.9])
    var inputs: [Double] = []
    for t in 0..<4 {
      for k in [10, 20, 30] { inputs += Self.fill(3, k + t) }
      inputs += [rates[t], kept[t]]
    }
    let probe = CellProbe(cell: Cell(), inputSize: 11, steps: 4, batch: 1, precision: .double)
    probe.run(inputs: inputs, outputWeights: [Double](repeating: 0, count: 12))
    expect(probe.outputs.suffix(3), [0.04589410, -0.06946150, -0.17254815])
  }

  /// With constant decay and write rate WeiNet is the fast-weight RNN: the same bits as a matrix,
  /// 1e-12 against the history of writes.
  @Test(arguments: FastWeightRNN.Order.allCases)
  func weiNetWithConstantRatesIsTheFastWeightRNN(order: FastWeightRNN.Order) {
    var options = WeiNet.Options()
    options.hiddenSize = 5
    options.order = order
    let net = probe(WeiNet(options: options), fastWeights)
    let matrix = probe(fastWeightRNN(order), fastWeights, disabled: [.lowerMemories])
    #expect(net.outputs == matrix.outputs)
    let history = probe(fastWeightRNN(order), fastWeights)
    for (a, b) in zip(net.outputs, history.outputs) { #expect(abs(a - b) <= 1e-12) }
  }

  /// W_h and A are full matrices: an off-diagonal element changes the result.
  @Test func offDiagonalElementsCount() {
    let before = probe(fastWeightRNN(.readThenWrite), fastWeights).outputs
    var changed = fastWeights
    changed["W_h"]?[3] += 0.1
    #expect(probe(fastWeightRNN(.readThenWrite), changed).outputs != before)
  }
}
