/// FW-LSTM: an LSTM whose cell input is amplified by a fast-weight memory, gate order i, f, o, g.
///
///     z = LN(W_x x + W_h h + b),   g = relu(z_g)                                  (1)
///     A' = decay A + rate g g^T                                                   (2)
///     c' = LN(sigmoid(f) c + sigmoid(i) relu(z_g + A' g))                         (3)
///     h' = sigmoid(o) relu(c')                                                    (4)
///
/// Keller, Sridhar and Wang 2018, arXiv:1804.06511, in the form of the second author's code: the
/// write comes first, and the normalised c is carried. That is `g_only`; in `all_gates`, the
/// first author's variant, the memory is of the whole z and amplifies all four gates:
///
///     k = relu(z),   A' = decay A + rate k k^T,   i, f, o, g = z + A' k           (5)
///     c' = LN(sigmoid(f) c + sigmoid(i) relu(g))                                  (6)
package struct FastWeightLSTM: RecurrentCell {
  package enum Scope: String, Codable, CaseIterable, Sendable {
    case cellInput = "g_only"
    case allGates = "all_gates"
  }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
    /// What the fast weights see and amplify.
    package var fastScope = Scope.cellInput
    package var decay = 0.9
    package var rate = 0.5
    /// At the start of training, of the bias of LN.
    package var forgetBias = 0.0

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.outside("decay", decay, 0...1)
        + OptionProblem.outside("rate", rate, 0...10)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let h = g.vector("h", n)
    let c = g.vector("c", n)
    let z = g.jointGates(x, h, forgetBias: options.forgetBias)
    let gates = g.group(.memory) { amplified(z, in: g) }
    let kept = sigmoid(gates[1]) * c
    let next = g.next(c, g.layerNorm(kept + sigmoid(gates[0]) * relu(gates[3]), "ln_c"))  // (3)
    return g.next(h, sigmoid(gates[2]) * relu(next))  // (4)
  }

  /// The gates with what the memory, written first, adds to them.
  private func amplified(_ z: Vector, in g: StepBuilder) -> [Vector] {
    let n = options.hiddenSize
    let seen = options.fastScope == .allGates ? z : z[3 * n..<4 * n]
    let key = relu(seen)  // (1)
    let A = g.matrix("A", key.size, key.size)
    let written = g.next(A, options.decay * A + options.rate * outer(key, key))  // (2)
    let amplified = seen + written.read(key)
    return options.fastScope == .allGates
      ? amplified.split(4) : z[0..<3 * n].split(3) + [amplified]
  }
}
