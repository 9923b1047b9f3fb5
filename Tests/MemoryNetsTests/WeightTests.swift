import Foundation
import MemoryNets
import Testing

/// Weights that are fixed, derived, penalised or trained at a rate of their own.
@Suite struct WeightTests {
  private struct PenalizedCell: RecurrentCell {
    let alpha: Double
    func step(_ x: Vector, in g: StepBuilder) -> Vector {
      let y = g.linear("W", x, 3)
      if alpha > 0 { g.penalizeOrthogonality(of: "W", by: alpha) }
      return y
    }
  }

  private func gradient(alpha: Double, _ precision: Precision) -> (w: [Double], d: [Double]) {
    let probe = CellProbe(
      cell: PenalizedCell(alpha: alpha), inputSize: 4, steps: 2, batch: 20, precision: precision)
    let view = probe.parameters.views[0]
    let w = (0..<12).map { 0.5 * sin(1.7 * Double($0)) }
    probe.parameters.set(view, to: w)
    let inputs = (0..<2 * 20 * 4).map { cos(Double($0)) }
    probe.run(inputs: inputs, outputWeights: (0..<2 * 20 * 3).map { sin(0.3 * Double($0)) })
    return (w, probe.parameters.doubles(view, gradient: true))
  }

  /// alpha |W W^T - I|_F^2 by central differences, once a batch whatever its rows.
  @Test(arguments: Precision.allCases)
  func thePenaltysGradientMatchesFiniteDifferences(precision: Precision) {
    let alpha = 0.3
    let (w, with) = gradient(alpha: alpha, precision)
    let (_, without) = gradient(alpha: 0, precision)
    func penalty(_ w: [Double]) -> Double {
      var sum = 0.0
      for i in 0..<3 {
        for j in 0..<3 {
          let dot = (0..<4).reduce(0) { $0 + w[i * 4 + $1] * w[j * 4 + $1] }
          sum += (dot - (i == j ? 1 : 0)) * (dot - (i == j ? 1 : 0))
        }
      }
      return alpha * sum
    }
    for i in w.indices {
      var (up, down) = (w, w)
      up[i] += 1e-5
      down[i] -= 1e-5
      let numeric = (penalty(up) - penalty(down)) / 2e-5
      #expect(abs(with[i] - without[i] - numeric) < (precision == .double ? 1e-8 : 1e-5))
    }
  }

  @Test func theExponentialRNNKeepsTheNormOfItsState() throws {
    let options = try decodeOptions(ExponentialRNN.Options(), from: ["hidden_size": .integer(21)])
    let probe = CellProbe(
      cell: ExponentialRNN(options: options), inputSize: 2, steps: 200, batch: 1,
      precision: .double)
    // Without bias modrelu is the identity, and without later input only B acts.
    if let b = probe.parameters.view(named: "b") {
      probe.parameters.set(b, to: [Double](repeating: 0, count: 21))
    }
    if let a = probe.parameters.view(named: "A") {
      probe.parameters.set(a, to: (0..<210).map { 2 * sin(3.1 * Double($0)) })
    }
    let inputs = (0..<400).map { $0 < 2 ? 1.0 : 0 }
    probe.run(inputs: inputs, outputWeights: [Double](repeating: 0, count: 200 * 21))
    func norm(_ step: Int) -> Double {
      probe.outputs[step * 21..<(step + 1) * 21].reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
    #expect(norm(0) > 0.1)
    for step in 1..<200 { #expect(abs(norm(step) / norm(0) - 1) < 1e-12) }
  }

  @Test func onlyTheAnglesOfARotationAreParameters() throws {
    let g = StepBuilder()
    let cell = ExponentialRNN(
      options: try decodeOptions(ExponentialRNN.Options(), from: ["hidden_size": .integer(6)]))
    g.output(cell.step(g.input(.caller, 2), in: g))
    #expect(g.graph.parameterCount == 15 + 12 + 6)
  }

  @Test func aRateOfItsOwnScalesTheStepOfAParameter() {
    let views = [
      ParameterView(name: "a", group: .controller, shape: [3], offset: 0),
      ParameterView(name: "b", group: .controller, shape: [2], offset: 3, rate: 0.1),
      ParameterView(name: "c", group: .controller, shape: [2], offset: 5),
    ]
    var options = TrainOptions()
    options.optimizer = .sgd
    let parameters = ParameterStore(precision: .double, views: views)
    let optimizer = Optimizer(
      options, parameters: parameters, kernels: Kernels(.best, .double))
    parameters.setGradients([1, 1, 1, 1, 1, 1, 1])
    _ = optimizer.update(learningRate: 0.5)
    let values = views.flatMap { parameters.doubles($0) }
    for (value, expected) in zip(values, [0.5, 0.5, 0.5, 0.05, 0.05, 0.5, 0.5]) {
      #expect(abs(value + expected) < 1e-15)
    }
  }
}
