/// A linear memory of a net's own hidden states: a net unrolled over a window is trained first, a linear
/// autoencoder is fitted to its hidden states, and the window is replaced by what the memory keeps of it.
///
///     W_hm = A,   W_mm = B,   b_m = 0                                             (1)
///     W_mh = sum over i = 1 ..< k of W_i A^T (B^T)^(i - 1)                        (2)
///     O_m = sum over i = 0 ..< k of O_i A^T (B^T)^i                               (3)
///
/// for h_{t-i} is about A^T (B^T)^i m_t. W_xh, b_h and whatever else the two nets share are taken over.
/// With a memory that loses nothing the function stays what it was. Bacciu, Carta and Sperduti 2019,
/// arXiv:1811.03356; the map (2), (3) is a derivation of our own.
struct HiddenStateStart: DataStart {
  let name = "hidden_states"
  let firstUpdate: Int
  let sequenceLimit: Int
  let hiddenSize: Int
  let memorySize: Int
  let window: Int
  let readsMemory: Bool

  var forerunner: (any RecurrentCell)? {
    UnrolledNetwork(hiddenSize: hiddenSize, window: window, readsWindow: readsMemory)
  }

  func isDue(before update: Int) -> Bool { update == firstUpdate }

  func set(_ weights: ParameterStore, from data: TrainingSequences, before update: Int) {
    let prefix = "forerunner."
    for view in weights.views where view.name.hasPrefix(prefix) {
      let own = weights.view(named: String(view.name.dropFirst(prefix.count)))
      if let own, own.shape == view.shape { weights.set(own, to: weights.doubles(view)) }
    }
    let memory = LinearAutoencoder(fitting: data.vectors, memorySize: memorySize)
    weights.replace("layer0.W_hm", by: memory.encoder)  // (1)
    weights.replace("layer0.W_mm", by: memory.recurrence)
    weights.fill("layer0.b_m", with: 0)
    let past = weights.numbers("forerunner.layer0.W_past")
    weights.replace(
      "layer0.W_mh",
      by: memory.replacingWindow(past, rows: hiddenSize, inputs: window - 1))  // (2)
    guard readsMemory else { return }
    let readout = weights.firstReadout
    weights.replace(
      readout,
      by: memory.replacingWindow(
        weights.numbers(prefix + readout), rows: weights.shape(readout)[0], inputs: window))  // (3)
  }
}

extension LinearAutoencoder {
  /// The map (rows, memory) of a state that does what `map` (rows, inputs x input) does of the last
  /// `inputs` inputs, the latest first: sum of map_i A^T (B^T)^i.
  func replacingWindow(_ map: [Double], rows: Int, inputs: Int) -> [Double] {
    let width = inputs * inputSize
    var result = [Double](repeating: 0, count: rows * memorySize)
    // A^T (B^T)^i.
    var decoder = (0..<inputSize * memorySize).map {
      encoder[$0 % memorySize * inputSize + $0 / memorySize]
    }
    let transposed = (0..<memorySize * memorySize).map {
      recurrence[$0 % memorySize * memorySize + $0 / memorySize]
    }
    for i in 0..<inputs {
      let part = (0..<rows * inputSize).map {
        map[$0 / inputSize * width + i * inputSize + $0 % inputSize]
      }
      let share = matrixProduct(part, decoder, rows, inputSize, memorySize)
      for j in result.indices { result[j] += share[j] }
      decoder = matrixProduct(decoder, transposed, inputSize, memorySize, memorySize)
    }
    return result
  }
}
