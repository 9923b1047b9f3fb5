import Foundation
import MemoryNets
import Testing

/// The linear memory capacity of untrained nets of 20 units: sums over delays 0 to 39 of 6000 states,
/// in sample, against those of another program with draws of its own.
@Suite struct MemoryCapacityTests {
  private static let size = 20
  private static let delays = 40

  private enum Net: CaseIterable {
    case delayLine, orthogonal, gaussian, weakTanh, strongTanh
  }

  /// x(t) = f(W x(t - 1) + w u(t)), u uniform in [-0.8, 0.8).
  private func capacity(_ net: Net, seed: UInt64, samples: Int = 6000) -> LinearMemoryCapacity {
    let n = Self.size
    var draws = PhiloxStream(key: PhiloxKey(seed), stream: 0)
    var recurrent = [Double](repeating: 0, count: n * n)
    var input = (0..<n).map { _ in 2 * draws.uniform() - 1 }
    switch net {
    case .delayLine:
      for i in 1..<n { recurrent[i * n + i - 1] = 1 }
      input = (0..<n).map { $0 == 0 ? 1 : 0 }
    case .orthogonal:
      recurrent = Initializer.orthogonal.values(shape: [n, n], key: PhiloxKey(seed)).map {
        0.95 * $0
      }
    case .gaussian, .weakTanh, .strongTanh:
      recurrent = (0..<n * n).map { _ in draws.normal() }
      let radius = Spectrum(name: "W", matrix: recurrent, size: n)?.radius ?? 1
      recurrent = recurrent.map { 0.9 / radius * $0 }
      if net == .weakTanh { input = input.map { 0.1 * $0 } }
    }
    var x = [Double](repeating: 0, count: n)
    var signal: [Double] = []
    var states: [Double] = []
    var inputs: [Double] = []
    for t in 0..<samples + 200 {
      signal.append(1.6 * draws.uniform() - 0.8)
      let sums = (0..<n).map { i in
        (0..<n).reduce(input[i] * signal[t]) { $0 + recurrent[i * n + $1] * x[$1] }
      }
      x = net == .weakTanh || net == .strongTanh ? sums.map { tanh($0) } : sums
      guard t >= 200 else { continue }
      states += x
      for delay in 0..<Self.delays { inputs.append(signal[t - delay]) }
    }
    return LinearMemoryCapacity(
      states: states, size: n, inputs: inputs, delays: Self.delays,
      split: DecoderSplit(inSample: samples))
  }

  @Test(arguments: [
    // Draws of the matrix move the last three by about one.
    (0, 20.07, 0.1), (1, 19.6, 1.5), (2, 20.1, 0.3), (3, 14.5, 1.5), (4, 8.6, 1.2),
  ])
  func untrainedNetsHaveTheKnownCapacity(net: Int, expected: Double, tolerance: Double) {
    let sums = [11, 12, 13].map { seed in
      capacity(Net.allCases[net], seed: seed).byDelay.reduce(0, +)
    }
    let mean = sums.reduce(0, +) / 3
    #expect(abs(mean - expected) < tolerance, "\(sums)")
  }

  @Test func aDelayLineHoldsItsLengthAndNothingMore() {
    let held = capacity(.delayLine, seed: 11)
    #expect(held.byDelay.prefix(20).allSatisfy { $0 > 0.999 })
    // In sample 20 weights fit 20 of 6000 numbers of noise.
    #expect(held.byDelay.dropFirst(20).allSatisfy { $0 < 0.02 })
    #expect(abs(held.total - 19) < 0.15)
  }

  @Test func heldOutSamplesDoNotFlatter() {
    // 20 random numbers that know nothing of the signal, few samples.
    var draws = PhiloxStream(key: PhiloxKey(5), stream: 0)
    let samples = 120
    let states = (0..<samples * 20).map { _ in draws.normal() }
    let inputs = (0..<samples * 10).map { _ in draws.uniform() }
    func total(_ split: DecoderSplit) -> Double {
      LinearMemoryCapacity(states: states, size: 20, inputs: inputs, delays: 10, split: split).total
    }
    #expect(total(DecoderSplit(inSample: samples)) > 1)
    #expect(total(DecoderSplit(heldOutOf: samples)) < 0.8)
  }

  @Test func eigenvaluesAreThoseOfTheMatrix() throws {
    // A rotation by 60 degrees scaled by 2, and 3.
    let (c, s) = (1.0, 3.0.squareRoot())
    let spectrum = try #require(
      Spectrum(name: "W", matrix: [c, -s, 0, s, c, 0, 0, 5, 3], size: 3))
    #expect(zip(spectrum.magnitudes, [3.0, 2, 2]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(abs(spectrum.radius - 3) < 1e-12)
    let conjugates = spectrum.imaginary.sorted()
    #expect(abs(conjugates[0] + s) < 1e-12 && abs(conjugates[2] - s) < 1e-12)
    #expect(Spectrum(name: "W", matrix: [.nan], size: 1) == nil)
  }
}
