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
    CellKind(
      name: "stack_rnn",
      summary: "LSTM with stacks that superpose pushing, popping and doing nothing.",
      options: StackRNN.Options.self, make: StackRNN.init(options:)),
    CellKind(
      name: "stratified_stack",
      summary: "LSTM with a stack of vectors that are pushed and removed by parts.",
      options: StratifiedStackRNN.Options.self, make: StratifiedStackRNN.init(options:)),
    CellKind(
      name: "rns_stack",
      summary: "LSTM with a stack machine of which all runs are followed at once.",
      options: NondeterministicStackRNN.Options.self,
      make: NondeterministicStackRNN.init(options:)),
    CellKind(
      name: "vrns_stack",
      summary: "The nondeterministic stack machine with symbols that carry vectors.",
      options: VectorNondeterministicStackRNN.Options.self,
      make: VectorNondeterministicStackRNN.init(options:)),
    CellKind(
      name: "min_gru", summary: "GRU whose gate does not look at its state.",
      options: MinGRU.Options.self, make: MinGRU.init(options:)),
    CellKind(
      name: "min_lstm", summary: "LSTM whose gates do not look at its state.",
      options: MinLSTM.Options.self, make: MinLSTM.init(options:)),
    CellKind(
      name: "delta_net",
      summary: "Heads of fast weights under the delta rule, or linear attention.",
      options: DeltaNet.Options.self, make: DeltaNet.init(options:)),
    CellKind(
      name: "gated_delta_net", summary: "The delta rule with a decay that the input decides.",
      options: GatedDeltaNet.Options.self, make: GatedDeltaNet.init(options:)),
    CellKind(
      name: "recurrent_delta_net",
      summary: "The delta rule with keys, queries and values that see what was read before.",
      options: RecurrentDeltaNet.Options.self, make: RecurrentDeltaNet.init(options:)),
    CellKind(
      name: "mlstm", summary: "Matrix memory with exponential gates, of xLSTM.",
      options: MLSTM.Options.self, make: MLSTM.init(options:)),
    CellKind(
      name: "mamba", summary: "Selective state space: a diagonal linear recurrence.",
      options: Mamba.Options.self, make: Mamba.init(options:)),
    CellKind(
      name: "ms_lmn",
      summary: "Linear memory in modules that run at every 1st, 2nd, 4th, ... step.",
      options: MultiScaleLinearMemoryNetwork.Options.self,
      make: MultiScaleLinearMemoryNetwork.init(options:)),
    CellKind(
      name: "tensor_power",
      summary: "Recurrent net of forms of a degree that is learned.",
      options: TensorPowerRNN.Options.self, make: TensorPowerRNN.init(options:)),
    CellKind(
      name: "lmu",
      summary: "Legendre memory unit: a window of the past as polynomials, beside a hidden state.",
      options: LegendreMemoryUnit.Options.self, make: LegendreMemoryUnit.init(options:)),
    CellKind(
      name: "delay_line", summary: "The last inputs side by side, and a layer that reads them.",
      options: DelayLine.Options.self, make: DelayLine.init(options:)),
    CellKind(
      name: "cornn", summary: "Coupled oscillators, driven by the input and by each other.",
      options: CoupledOscillatorRNN.Options.self, make: CoupledOscillatorRNN.init(options:)),
    CellKind(
      name: "ctrnn", summary: "Continuous-time recurrent net of leaky units, by Euler steps.",
      options: ContinuousTimeRNN.Options.self, make: ContinuousTimeRNN.init(options:)),
    CellKind(
      name: "exprnn",
      summary: "Orthogonal recurrent net, its matrix the exponential of a skew one.",
      options: ExponentialRNN.Options.self, make: ExponentialRNN.init(options:)),
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

  /// The problem of a size that is negative, if it is; 0 stands for `instead`.
  static func notNegative(_ option: String, _ value: Int, _ instead: String) -> [OptionProblem] {
    value >= 0 ? [] : [OptionProblem(option, "is \(value); 0 takes \(instead)")]
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
