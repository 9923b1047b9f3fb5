/// A linear memory of the inputs: the start from a linear autoencoder that is fitted to them.
///
///     W_in = A,   W_memory = B,   b = -A mean
///
/// and as read-out the least squares of the answers on the states of the autoencoder, as long as it is
/// one map; classes are one-hot. Carta, Sperduti and Bacciu 2020, arXiv:2011.02886.
struct InputStart: DataStart {
  /// The cell's parameters.
  struct Names {
    /// Of the inputs, started with A; of the memory, with B; and the bias.
    let input, recurrent, bias: String
    /// Zero at the start.
    var zero: [String] = []
    /// The identity at the start.
    var identity: String?
  }

  let name = "inputs"
  let looksAtInputs = true
  let sequenceLimit: Int
  let memorySize: Int
  let names: Names

  func isDue(before update: Int) -> Bool { update == 0 }

  func set(_ weights: ParameterStore, from data: TrainingSequences, before update: Int) {
    let size = data.vectors.size
    let memory = LinearAutoencoder(fitting: data.vectors, memorySize: memorySize, centers: true)
    weights.replace(names.input, by: memory.encoder)
    weights.replace(names.recurrent, by: memory.recurrence)
    let moved = matrixProduct(memory.encoder, memory.mean, memorySize, size, 1)
    var bias = [Double](repeating: 0, count: memorySize)
    for i in 0..<memorySize { bias[i] -= moved[i] }
    weights.replace(names.bias, by: bias)
    for name in names.zero { weights.fill(name, with: 0) }
    if let identity = names.identity {
      weights.replace(
        identity,
        by: (0..<memorySize * memorySize).map { $0 / memorySize == $0 % memorySize ? 1 : 0 })
    }
    guard weights.firstReadout == "readout.W" else { return }
    let states = data.vectors.sequences.flatMap { memory.encode($0) }
    let outputs = weights.shape("readout.W")[0]
    weights.replace(
      "readout.W",
      by: leastSquares(of: data.answers, on: states, size: memorySize, outputs: outputs))
    weights.fill("readout.b", with: 0)
  }
}

/// The map W (outputs, size), row-major, with the least squared error of W y - answer over all answers,
/// and the smallest of those: by the singular values of the states.
func leastSquares(
  of answers: [TrainingSequences.Answer], on states: [Double], size: Int, outputs: Int
) -> [Double] {
  let rows = answers.count
  var map = [Double](repeating: 0, count: outputs * size)
  guard rows > 0 else { return map }
  var matrix = [Double](repeating: 0, count: rows * size)
  for (row, answer) in answers.enumerated() {
    for i in 0..<size { matrix[i * rows + row] = states[answer.vector * size + i] }
  }
  let parts = SingularValues(of: &matrix, rows: rows, columns: size, atMost: size)
  // T^T U L^-1, then times V^T.
  var scores = [Double](repeating: 0, count: outputs * parts.count)
  for (row, answer) in answers.enumerated() {
    for (output, value) in answer.targets {
      for i in 0..<parts.count {
        scores[output * parts.count + i] += value * parts.left[i * rows + row] / parts.values[i]
      }
    }
  }
  if parts.count > 0 { map = matrixProduct(scores, parts.right, outputs, parts.count, size) }
  return map
}
