import MemoryNets
import Testing

@Suite struct LinearAutoencoderTests {
  private static func random(_ size: Int, lengths: [Int], offset: Double = 0) -> VectorSequences {
    var random = PhiloxStream(key: PhiloxKey(3).derived("sequences"), stream: 0)
    var result = VectorSequences(size: size)
    for length in lengths {
      result.append((0..<length * size).map { _ in random.normal() + offset })
    }
    return result
  }

  /// a (rows, inner) times b (inner, columns), row-major.
  private static func product(_ a: [Double], _ b: [Double], _ inner: Int) -> [Double] {
    let (rows, columns) = (a.count / inner, b.count / inner)
    return (0..<rows * columns).map { i in
      (0..<inner).reduce(0) { $0 + a[i / columns * inner + $1] * b[$1 * columns + i % columns] }
    }
  }

  private static func transposed(_ a: [Double], columns: Int) -> [Double] {
    let rows = a.count / columns
    return (0..<a.count).map { a[$0 % rows * columns + $0 / rows] }
  }

  /// The pasts of all steps: [x_t, x_{t-1}, ..., 0], row-major, `steps` inputs wide.
  private static func dataMatrix(_ sequences: VectorSequences, steps: Int) -> [Double] {
    let k = sequences.size
    var result: [Double] = []
    for sequence in sequences.sequences {
      for t in 0..<sequence.count / k {
        for delay in 0..<steps {
          for feature in 0..<k {
            let source = sequence.startIndex + (t - delay) * k + feature
            result.append(delay > t ? 0 : sequence[source])
          }
        }
      }
    }
    return result
  }

  /// The largest singular value, by the power method.
  private static func norm(_ a: [Double], _ size: Int) -> Double {
    let square = product(transposed(a, columns: size), a, size)
    var x = (0..<size).map { 1 + 0.1 * Double($0) }
    var value = 0.0
    for _ in 0..<2000 {
      x = product(square, x, size)
      value = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if value == 0 { return 0 }
      x = x.map { $0 / value }
    }
    return value.squareRoot()
  }

  @Test func aFullRankMemoryDecodesExactly() {
    let sequences = Self.random(2, lengths: [7, 5, 6, 7, 3, 7, 7])
    let autoencoder = LinearAutoencoder(fitting: sequences, memorySize: 14)
    #expect(autoencoder.singularValues.count == 14)
    for sequence in sequences.sequences {
      let states = autoencoder.encode(sequence)
      let decoded = autoencoder.decode(Array(states.suffix(14)), steps: sequence.count / 2)
      for (a, b) in zip(decoded, sequence) { #expect(abs(a - b) < 1e-13) }
    }
  }

  /// In the space of features B = U^T S U, with S the shift of a past by one input.
  @Test(arguments: [3, 8, 14])
  func bothFormsOfTheRecurrenceAgree(memorySize: Int) {
    let (k, steps) = (2, 7)
    let sequences = Self.random(k, lengths: [7, 5, 6, 7, 3, 7, 7, 4])
    let autoencoder = LinearAutoencoder(
      fitting: sequences, memorySize: memorySize, delays: steps)
    let width = steps * k
    let x = Self.dataMatrix(sequences, steps: steps)
    let gram = Self.product(Self.transposed(x, columns: width), x, sequences.count)
    let eigenvectors = Self.eigenvectors(gram, width)
    let u = (0..<width * memorySize).map { i in  // (width, memory)
      eigenvectors[i % memorySize].vector[i / memorySize]
    }
    let moved = (0..<u.count).map { $0 / memorySize < k ? 0 : u[$0 - k * memorySize] }
    let b = Self.product(Self.transposed(u, columns: memorySize), moved, width)
    for i in 0..<memorySize {
      #expect(abs(eigenvectors[i].value.squareRoot() - autoencoder.singularValues[i]) < 1e-12)
    }
    // The sign of a singular vector is free.
    let signs = (0..<memorySize).map { u[$0] * autoencoder.encoder[$0 * k] < 0 ? -1.0 : 1.0 }
    for i in 0..<memorySize {
      for j in 0..<k {
        #expect(
          abs(autoencoder.encoder[i * k + j] - signs[i] * u[j * memorySize + i]) < 1e-12)
      }
      for j in 0..<memorySize {
        let expected = signs[i] * signs[j] * b[i * memorySize + j]
        #expect(abs(autoencoder.recurrence[i * memorySize + j] - expected) < 1e-12)
      }
    }
  }

  /// Eigenvalues, the largest first, and eigenvectors of a symmetric matrix, by Jacobi rotations.
  private static func eigenvectors(
    _ matrix: [Double], _ size: Int
  ) -> [(value: Double, vector: [Double])] {
    var a = matrix
    var v = (0..<size * size).map { $0 / size == $0 % size ? 1.0 : 0 }
    for _ in 0..<30 {
      for p in 0..<size {
        for q in p + 1..<size where a[p * size + q] != 0 {
          let theta = (a[q * size + q] - a[p * size + p]) / (2 * a[p * size + q])
          let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
          let c = 1 / (t * t + 1).squareRoot()
          let s = t * c
          for i in 0..<size {
            let (x, y) = (a[i * size + p], a[i * size + q])
            (a[i * size + p], a[i * size + q]) = (c * x - s * y, s * x + c * y)
            let (e, f) = (v[i * size + p], v[i * size + q])
            (v[i * size + p], v[i * size + q]) = (c * e - s * f, s * e + c * f)
          }
          for i in 0..<size {
            let (x, y) = (a[p * size + i], a[q * size + i])
            (a[p * size + i], a[q * size + i]) = (c * x - s * y, s * x + c * y)
          }
        }
      }
    }
    return (0..<size).map { i in
      (a[i * size + i], (0..<size).map { v[$0 * size + i] })
    }.sorted { $0.0 > $1.0 }
  }

  @Test(arguments: [2, 5, 9, 14])
  func theRecurrenceNeverExpands(memorySize: Int) {
    let sequences = Self.random(2, lengths: [7, 5, 6, 7, 3, 7, 7, 4])
    let autoencoder = LinearAutoencoder(fitting: sequences, memorySize: memorySize)
    let norm = Self.norm(autoencoder.recurrence, memorySize)
    #expect(norm > 0.1 && norm <= 1 + 1e-12)
  }

  @Test func slicesGiveWhatOneDecompositionGives() {
    let sequences = Self.random(2, lengths: [9, 9, 8, 9, 6, 9, 9, 9, 9, 9])
    let whole = LinearAutoencoder(fitting: sequences, memorySize: 18, delays: 9)
    for delays in [1, 2, 4] {
      let sliced = LinearAutoencoder(fitting: sequences, memorySize: 18, delays: delays)
      for (a, b) in zip(sliced.singularValues, whole.singularValues) {
        #expect(abs(a - b) < 1e-12 * whole.singularValues[0])
      }
    }
  }

  @Test func centringTakesTheMeanOutAndPutsItBack() {
    let sequences = Self.random(3, lengths: [4, 4, 4, 4, 4, 4], offset: 5)
    let autoencoder = LinearAutoencoder(fitting: sequences, memorySize: 12, centers: true)
    #expect(autoencoder.mean.allSatisfy { abs($0 - 5) < 1 })
    #expect(LinearAutoencoder(fitting: sequences, memorySize: 12).mean == [0, 0, 0])
    for sequence in sequences.sequences {
      let states = autoencoder.encode(sequence)
      let decoded = autoencoder.decode(Array(states.suffix(12)), steps: 4)
      for (a, b) in zip(decoded, sequence) { #expect(abs(a - b) < 1e-12) }
    }
  }

  @Test func aMemoryLargerThanTheRankKeepsTheRestAtZero() {
    let sequences = Self.random(1, lengths: [3, 3, 3, 3])
    let autoencoder = LinearAutoencoder(fitting: sequences, memorySize: 5)
    #expect(autoencoder.singularValues.count == 3)
    #expect(autoencoder.encoder.suffix(2) == [0, 0])
    for sequence in sequences.sequences {
      let states = autoencoder.encode(sequence)
      let decoded = autoencoder.decode(Array(states.suffix(5)), steps: 3)
      for (a, b) in zip(decoded, sequence) { #expect(abs(a - b) < 1e-13) }
    }
  }

  @Test func subsamplingTakesEverySecondStep() {
    var sequences = VectorSequences(size: 2)
    sequences.append([1, 2, 3, 4, 5, 6])
    sequences.append([7, 8])
    let half = sequences.every(2)
    #expect(half.lengths == [2, 1])
    #expect(half.values == [1, 2, 5, 6, 7, 8])
  }
}
