/// Tensor-power recurrent net: each unit is a form of degree p of what it sees, and p is learned.
///
///     s = [1; x; h],   a = W s                                                    (1)
///     h' = tanh(L (sign(a) |a|^p))                                                (2)
///
/// A p-fold product of s with a tensor of rank R is a sum of R powers; written with |a| the power may be
/// any number. Qiu et al. 2021, arXiv:2103.01521; the form of rank R, the sign and the tanh are a
/// reconstruction from the abstract and the description of the authors' program.
package struct TensorPowerRNN: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
    /// R; 0 takes hidden_size.
    package var rank = 0
    /// p, at the start of training.
    package var degree = 2.0
    /// Whether p is learned.
    package var learnsDegree = true

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + (rank >= 0 ? [] : [OptionProblem("rank", "is \(rank); 0 takes hidden_size")])
        + OptionProblem.outside("degree", degree, 1...10)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let rank = options.rank == 0 ? n : options.rank
    let h = g.vector("h", n)
    let start = Initializer.uniform(1 / Double(1 + x.size + n).squareRoot())
    let a =
      g.linear("W_x", x, rank, start) + g.linear("W_h", h, rank, start)
      + g.bias("b", rank, start)  // (1)
    let degree =
      options.learnsDegree
      ? g.bias("p", 1, .constant(options.degree)) : g.constant(options.degree, 1)
    // sign(a) |a|^p = a |a|^(p - 1).
    let power = a * exp((degree + -1) * log(maximum(a, -a)))
    return g.next(h, tanh(g.linear("L", power, n)))  // (2)
  }
}
