/// FW-LSTM: an LSTM whose cell input is amplified by a fast-weight memory, gate order i, f, o, g.
///
///     z = LN(W_x x + W_h h + b),   g = relu(z_g)                                  (1)
///     A' = decay A + rate g g^T                                                   (2)
///     c' = LN(sigmoid(f) c + sigmoid(i) relu(z_g + A' g))                         (3)
///     h' = sigmoid(o) relu(c')                                                    (4)
///
/// Keller, Sridhar and Wang 2018, arXiv:1804.06511, in the form of the second author's code: the
/// write comes first, and the normalised c is carried.
package struct FastWeightLSTM: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
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
    let A = g.matrix("A", n, n)
    let z = g.jointGates(x, h, forgetBias: options.forgetBias)
    let key = relu(z[3])  // (1)
    let written = g.next(A, options.decay * A + options.rate * outer(key, key))  // (2)
    let input = relu(z[3] + written.read(key))
    let next = g.next(c, g.layerNorm(sigmoid(z[1]) * c + sigmoid(z[0]) * input, "ln_c"))  // (3)
    return g.next(h, sigmoid(z[2]) * relu(next))  // (4)
  }
}
