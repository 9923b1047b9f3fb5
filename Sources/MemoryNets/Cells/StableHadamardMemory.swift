/// Stable Hadamard memory: a matrix every element of which is kept by a gate of its own, whose mean
/// is 1.
///
///     u = LN(x),   k = relu(W_k u) / sum,   q = relu(W_q u) / sum,   v = W_v u       (1)
///     C = 1 + tanh(theta (W_c u)^T),   eta = sigmoid(W_eta u)                        (2)
///     M' = M . C + eta v k^T                                                         (3)
///     y = W_o M' q + b_o,   or y = W_o (M' q + W_s u + b_s) + b_o with `shortcut`    (4)
///
/// theta is a row of a learned table, drawn anew at every step: by `sampling` for every sequence, one
/// for all of a batch, or always the first, which is what the authors' stand-alone code does by a
/// conversion that leaves only zeros. In evaluation it is one for all, by the step. Le et al., "Stable Hadamard memory", ICLR 2025,
/// arXiv:2410.10132; each sum has 1e-5 added.
package struct StableHadamardMemory: RecurrentCell {
  package enum Sampling: String, Codable, CaseIterable, Sendable {
    case perSequence = "per_sequence"
    case perStep = "per_step"
    case fixedRow = "fixed_row"
  }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
    /// Rows and columns of M.
    package var memorySize = 24
    /// Rows of the table of theta.
    package var thetaRows = 128
    package var sampling = Sampling.perSequence
    package var shortcut = false

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("memory_size", memorySize)
        + OptionProblem.atLeastOne("theta_rows", thetaRows)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let (n, m) = (options.hiddenSize, options.memorySize)
    let u = g.layerNorm(x, "ln")
    var y = g.group(.memory) { remembered(u, in: g) }
    if options.shortcut {
      let bound = Initializer.uniform(1 / Double(u.size).squareRoot())
      y = y + g.linear("W_s", u, m) + g.bias("b_s", m, bound)
    }
    return g.linear("W_o", y, n) + g.bias("b_o", n, .uniform(1 / Double(m).squareRoot()))  // (4)
  }

  private func remembered(_ u: Vector, in g: StepBuilder) -> Vector {
    let m = options.memorySize
    func shares(_ name: String) -> Vector {
      let a = relu(g.linear(name, u, m))
      return a / (sum(a) + 1e-5)
    }
    let M = g.matrix("M", m, m)
    let (k, q) = (shares("W_k"), shares("W_q"))  // (1)
    let rows = options.thetaRows
    let theta = g.drawnRow(
      "theta", of: options.sampling == .fixedRow ? 1 : rows, rows: rows, m,
      isShared: options.sampling == .perStep, .uniform((6 / Double(rows + m)).squareRoot()))
    let change = tanh(outer(theta, g.linear("W_c", u, m)))  // (2)
    let value = sigmoid(g.linear("W_eta", u, 1)) * g.linear("W_v", u, m)
    return g.next(M, M + change * M + outer(value, k)).read(q)  // (3)
  }
}
