import Foundation
import MemoryNets
import Testing

@Suite struct LegendreMemoryUnitTests {
  /// Sizes of the permuted sequential MNIST experiment: 102027 trained numbers with its read-out.
  @Test func theFixedSystemIsNotCountedAmongTheParameters() throws {
    let shape = TaskShape(
      input: .features(size: 1), outputSize: 10, loss: .softmaxCrossEntropy, outputSteps: .last,
      maximumSteps: 784)
    let cell = LegendreMemoryUnit(options: LegendreMemoryUnit.Options())
    let graph = RecurrentModel(options: ModelOptions(), cell: cell, shape: shape).recorded()
    #expect(graph.parameterCount == 102_027)
    #expect(graph.stateSize == 212 + 256)
  }

  /// [A B; 0 I] = exp([A_c B_c; 0 0] / 3) for three polynomials, by an independent program.
  @Test func theExactSystemMatches() {
    let (a, b) = LegendreMemoryUnit.system(size: 3, theta: 3, .zoh)
    let expected: [Double] = [
      0.6715054821535293, -0.23315381883184955, -0.045971283921255435, 0.6994614564955488,
      0.018015309579236263, -0.250223372710123, -0.22985641960627728, 0.41703895451687156,
      0.038382262683081925,
    ]
    let expectedInput: [Double] = [0.32849451784647044, -0.6994614564955489, 0.22985641960627728]
    for (x, y) in zip(a + b, expected + expectedInput) { #expect(abs(x - y) < 1e-14) }
  }

  /// The Legendre polynomials are 1 at the end of the window: the features add up to the input that
  /// entered theta steps ago.
  @Test func theMemoryHoldsAWholeWindowOfASlowSignal() throws {
    let (steps, theta, size) = (300, 60.0, 12)
    let cell = LegendreMemoryUnit(
      options: try decodeOptions(
        LegendreMemoryUnit.Options(),
        from: [
          "hidden_size": .integer(2), "memory_size": .integer(size), "theta": .number(theta),
          "encoder_start": .string("unit"), "read": .string("memory"),
        ]))
    let probe = CellProbe(cell: cell, inputSize: 1, steps: steps, batch: 1, precision: .double)
    func signal(_ step: Double) -> Double { sin(step / 12) + 0.5 * cos(step / 19) - 0.5 }
    probe.run(
      inputs: (0..<steps).map { signal(Double($0)) },
      outputWeights: [Double](repeating: 0, count: steps * size))
    for step in 150..<steps {
      let sum = probe.outputs[step * size..<(step + 1) * size].reduce(0, +)
      #expect(abs(sum - signal(Double(step) + 0.5 - theta)) < 0.02)
    }
  }

  @Test func aShortWindowIsRefusedForEuler() {
    var options = LegendreMemoryUnit.Options()
    options.discretization = .euler
    options.theta = 100
    #expect(options.validate().map(\.option) == ["theta"])
    options.theta = 1024
    #expect(options.validate().isEmpty)
  }
}
