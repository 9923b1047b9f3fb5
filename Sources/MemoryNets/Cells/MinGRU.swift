/// minGRU: a gated recurrent unit whose gate and candidate do not look at the state.
///
///     z = sigmoid(W_z x),   c = g(W_h x)                                          (1)
///     h' = (1 - z) h + z c                                                        (2)
///     g(a) = a + 1/2 for a >= 0, else sigmoid(a)                                  (3)
///
/// Feng, Tung, Ahmed, Bengio and Hajimirsadeghi 2024, "Were RNNs All We Needed?", arXiv:2410.01201,
/// in the form with positive states that training in log space needs. Without bias. Steps are taken
/// one after the other here, so that nothing has to be in log space.
package struct MinGRU: RecurrentCell {
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
    let z = sigmoid(g.linear("W_z", x, n))
    let candidate = positive(g.linear("W_h", x, n))  // (1)
    return g.next(h, (1 - z) * h + z * candidate)  // (2)
  }
}

/// (3): a + 1/2 for a of at least 0, else sigmoid(a).
func positive(_ a: Vector) -> Vector { relu(a) + sigmoid(-relu(-a)) }
