/// minLSTM: forget and input gates that share their sum and do not look at the state.
///
///     f = sigmoid(W_f x),   i = sigmoid(W_i x),   c = g(W_h x)                    (1)
///     h' = f / (f + i) h + i / (f + i) c                                          (2)
///
/// g is that of `min_gru`. Feng, Tung, Ahmed, Bengio and Hajimirsadeghi 2024, arXiv:2410.01201.
/// Without bias. The quotients are those of sigmoids that may both be tiny, hence
///
///     f / (f + i) = sigmoid(log f - log i),   log sigmoid(a) = -softplus(-a)
package struct MinLSTM: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50

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
    let n = options.hiddenSize
    let h = g.vector("h", n)
    let f = g.linear("W_f", x, n)
    let i = g.linear("W_i", x, n)
    let candidate = positive(g.linear("W_h", x, n))  // (1)
    let keep = sigmoid(softplus(-i) - softplus(-f))
    return g.next(h, keep * h + (1 - keep) * candidate)  // (2)
  }
}
