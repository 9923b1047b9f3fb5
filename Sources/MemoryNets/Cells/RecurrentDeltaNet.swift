/// Recurrent delta net: a delta rule whose keys, queries, values and strengths look at what was read
/// a step before.
///
///     s = tanh(o)                                                                 (1)
///     q = softmax(W_q x + R_q s),   k = softmax(W_k x + R_k s)                    (2)
///     v = W_v x + R_v s,   beta = sigmoid(W_beta x + R_beta s)                    (3)
///     S' = S + beta (v - S k) k^T,   o' = S' q                                    (4)
///     y = W_o [o' of all heads]
///
/// for each head, with its own o. Irie, Schlag, Csordas and Schmidhuber 2021, arXiv:2106.06295. The
/// R start normal with variance 1 / head size.
package struct RecurrentDeltaNet: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 64
    package var heads = 4
    /// Of keys and values; 0 takes hidden_size / heads, rounded up.
    package var headSize = 0

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("heads", heads)
        + OptionProblem.notNegative("head_size", headSize, "hidden_size / heads")
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let heads = options.heads
    let n = options.headSize > 0 ? options.headSize : (options.hiddenSize + heads - 1) / heads
    let start = Initializer.normal(1 / Double(n).squareRoot())
    let q = g.linear("W_q", x, heads * n).split(heads)
    let k = g.linear("W_k", x, heads * n).split(heads)
    let v = g.linear("W_v", x, heads * n).split(heads)
    let beta = g.linear("W_beta", x, heads).split(heads)
    let reads = (0..<heads).map { head in
      func recurrent(_ name: String, _ s: Vector, _ size: Int) -> Vector {
        g.linear(g.headName("R_" + name, head, of: heads), s, size, start)
      }
      let o = g.vector(g.headName("o", head, of: heads), n)
      let s = tanh(o)  // (1)
      let read = g.deltaRule(
        g.headName("S", head, of: heads), q: softmax(q[head] + recurrent("q", s, n)),
        k: softmax(k[head] + recurrent("k", s, n)), v: v[head] + recurrent("v", s, n),
        beta: sigmoid(beta[head] + recurrent("beta", s, 1)))  // (2), (3), (4)
      return g.next(o, read)
    }
    return g.linear("W_o", concatenate(reads), options.hiddenSize)
  }
}
