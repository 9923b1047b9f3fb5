/// LSTM with layer normalisation, gate order i, f, o, g, in two forms.
///
/// `separate`: Ba, Kiros and Hinton 2016, arXiv:1607.06450; c is carried as it is:
///
///     z = LN(W_h h) + LN(W_x x) + b                                               (1)
///     c' = sigmoid(f) c + sigmoid(i) tanh(g),   h' = sigmoid(o) tanh(LN(c'))      (2)
///
/// `joint`: the FW-LSTM of Keller, Sridhar and Wang 2018 without its fast weights; the normalised
/// c is carried:
///
///     z = LN(W_x x + W_h h + b)                                                   (3)
///     c' = LN(sigmoid(f) c + sigmoid(i) relu(g)),   h' = sigmoid(o) relu(c')      (4)
package struct LayerNormLSTM: RecurrentCell {
  package enum Variant: String, Codable, CaseIterable, Sendable { case separate, joint }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
    package var variant = Variant.joint
    /// At the start of training: of b in `separate`, of the bias of LN in `joint`.
    package var forgetBias = 0.0

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    options.variant == .separate ? separate(x, g) : joint(x, g)
  }

  private func separate(_ x: Vector, _ g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let h = g.vector("h", n)
    let c = g.vector("c", n)
    let bound = Initializer.uniform(1 / Double(n).squareRoot())
    let forget = Initializer.block(index: 1, count: 4, value: options.forgetBias)
    let fromInput = g.layerNorm(g.linear("W_x", x, 4 * n, bound), "ln_x")
    let fromState = g.layerNorm(g.linear("W_h", h, 4 * n), "ln_h")
    let z = (fromState + fromInput + g.bias("b", 4 * n, forget)).split(4)  // (1)
    let next = g.next(c, sigmoid(z[1]) * c + sigmoid(z[0]) * tanh(z[3]))
    return g.next(h, sigmoid(z[2]) * tanh(g.layerNorm(next, "ln_c")))  // (2)
  }

  private func joint(_ x: Vector, _ g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let h = g.vector("h", n)
    let c = g.vector("c", n)
    let z = g.jointGates(x, h, forgetBias: options.forgetBias).split(4)  // (3)
    let kept = sigmoid(z[1]) * c
    let next = g.next(c, g.layerNorm(kept + sigmoid(z[0]) * relu(z[3]), "ln_c"))
    return g.next(h, sigmoid(z[2]) * relu(next))  // (4)
  }
}

extension StepBuilder {
  /// LN(W_x x + W_h h + b) over all four gates together, in the order i, f, o, g.
  func jointGates(_ x: Vector, _ h: Vector, forgetBias: Double) -> Vector {
    let n = h.size
    let bound = Initializer.uniform(1 / Double(n).squareRoot())
    let u = linear("W_x", x, 4 * n, bound) + linear("W_h", h, 4 * n) + bias("b", 4 * n)
    let forget = Initializer.block(index: 1, count: 4, value: forgetBias)
    return layerNorm(u, "ln_z", bias: forget)
  }
}
