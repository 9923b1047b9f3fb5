/// Linear autoencoder for sequences: the linear memory that keeps most of its past.
///
///     y_t = A (x_t - mean) + B y_{t-1},   y_0 = 0                                 (1)
///     x_t = A^T y_t + mean,   y_{t-1} = B^T y_t                                   (2)
///
/// (1) encodes, (2) decodes backwards in time. Row (s, t) of the data matrix X holds the past of
/// sequence s at step t, latest first: x_t, x_{t-1}, ..., x_1, 0, ... With its largest singular
/// triples, X = V L U^T, and R the shift by a step within each sequence,
///
///     A = the first rows of U, transposed,   B = L^-1 V^T R V L                   (3)
///
/// which decodes exactly where no triple other than 0 is left out; |B| <= 1. Pasa and Sperduti 2014,
/// "Pre-training of recurrent neural networks via linear autoencoders".
package struct LinearAutoencoder: Sendable {
  package let inputSize: Int
  package let memorySize: Int
  /// A (memory, input), row-major.
  package let encoder: [Double]
  /// B (memory, memory), row-major.
  package let recurrence: [Double]
  /// Of the inputs that it was fitted to, or 0.
  package let mean: [Double]
  /// Of the data matrix, the largest first; fewer than `memorySize` where its rank is less, and the
  /// rest of the memory is 0 then.
  package let singularValues: [Double]

  /// The states after each step of `sequence`, its vectors one after the other.
  package func encode(_ sequence: some Collection<Double>) -> [Double] {
    var state = [Double](repeating: 0, count: memorySize)
    var states: [Double] = []
    states.reserveCapacity(sequence.count / inputSize * memorySize)
    var x = [Double](repeating: 0, count: inputSize)
    for (i, value) in sequence.enumerated() {
      let feature = i % inputSize
      x[feature] = value - mean[feature]
      guard feature == inputSize - 1 else { continue }
      let carried = matrixProduct(recurrence, state, memorySize, memorySize, 1)
      let entered = matrixProduct(encoder, x, memorySize, inputSize, 1)
      state = zip(carried, entered).map { $0 + $1 }
      states.append(contentsOf: state)
    }
    return states
  }

  /// The last `steps` inputs before `state`, the earliest first.
  package func decode(_ state: [Double], steps: Int) -> [Double] {
    var y = state
    var latestFirst: [[Double]] = []
    for _ in 0..<steps {
      let x = matrixProduct(y, encoder, 1, memorySize, inputSize)
      latestFirst.append(zip(x, mean).map { $0 + $1 })
      y = matrixProduct(y, recurrence, 1, memorySize, memorySize)
    }
    return latestFirst.reversed().flatMap { $0 }
  }
}
