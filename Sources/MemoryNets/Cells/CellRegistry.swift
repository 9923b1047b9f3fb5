/// The cells that a sweep file can name.
package enum CellRegistry {
  package static let all: [CellKind] = [
    CellKind(
      name: "elman",
      summary: "Plain recurrent net, tanh or ReLU; the identity start makes it IRNN.",
      options: Elman.Options.self, make: Elman.init(options:)),
    CellKind(
      name: "lstm", summary: "Long short-term memory.", options: LSTM.Options.self,
      make: LSTM.init(options:)),
    CellKind(
      name: "gru", summary: "Gated recurrent unit.", options: GRU.Options.self,
      make: GRU.init(options:)),
    CellKind(
      name: "ln_lstm", summary: "LSTM with layer normalisation, separate or joint.",
      options: LayerNormLSTM.Options.self, make: LayerNormLSTM.init(options:)),
    CellKind(
      name: "fw_rnn", summary: "Recurrent net that attends to its past through fast weights.",
      options: FastWeightRNN.Options.self, make: FastWeightRNN.init(options:)),
    CellKind(
      name: "fw_lstm", summary: "LSTM with fast weights in its cell input.",
      options: FastWeightLSTM.Options.self, make: FastWeightLSTM.init(options:)),
    CellKind(
      name: "weinet",
      summary: "Fast weights whose decay and write rates are learned, element by element.",
      options: WeiNet.Options.self, make: WeiNet.init(options:)),
    CellKind(
      name: "gated_fast_weights",
      summary: "A slow net that writes the two layers of a fast net, under gates.",
      options: GatedFastWeights.Options.self, make: GatedFastWeights.init(options:)),
    CellKind(
      name: "fwm", summary: "LSTM with a tensor of associations, written by the delta rule.",
      options: FastWeightMemory.Options.self, make: FastWeightMemory.init(options:)),
    CellKind(
      name: "mesa",
      summary: "Least squares over all keys and values so far, solved at every step.",
      options: MesaNet.Options.self, make: MesaNet.init(options:)),
    CellKind(
      name: "stable_hadamard",
      summary: "Matrix memory with a gate for every element, calibrated to keep its mean.",
      options: StableHadamardMemory.Options.self, make: StableHadamardMemory.init(options:)),
    CellKind(
      name: "lmn", summary: "Linear memory network: a nonlinear function beside a linear memory.",
      options: LinearMemoryNetwork.Options.self, make: LinearMemoryNetwork.init(options:)),
  ]

  package static func kind(named name: String) -> CellKind? {
    all.first { $0.name == name }
  }
}

extension OptionProblem {
  /// The problem of a size that must be at least 1, if it is not.
  static func atLeastOne(_ option: String, _ value: Int) -> [OptionProblem] {
    value >= 1 ? [] : [OptionProblem(option, "is \(value); at least 1 is needed")]
  }

  /// The problem of a number outside a closed range, if it is.
  static func outside(
    _ option: String, _ value: Double, _ range: ClosedRange<Double>
  ) -> [OptionProblem] {
    range.contains(value)
      ? []
      : [
        OptionProblem(option, "is \(value); \(range.lowerBound) to \(range.upperBound) is possible")
      ]
  }
}
