/// Fast weight memory: an LSTM beside a tensor of rank three that stores what relates two vectors to
/// a third, written by the delta rule and read several times in a row.
///
///     z = LSTM(x),   (s, r, t, b) = W_write z + b_write,   beta = sigmoid(b + 1)     (1)
///     v = sum_ij F_ij. tanh(s)_i tanh(r)_j                                           (2)
///     G = F + tanh(s) (x) tanh(r) (x) beta (tanh(t) - v) / size of t                 (3)
///     F' = G / max(|G|, 1)                                                           (4)
///     (q, e_1, ...) = W_read z + b_read,   q <- LN(sum_ij F'_ij. q_i tanh(e_j)_j)    (5)
///     y = W_out q + b_out (+ z, if `residual`)                                       (6)
///
/// Schlag, Munkhdalai and Schmidhuber, "Learning associative inference using fast weight memory",
/// ICLR 2021, in the form of their code for catbAbI; that for language models (`language_model`)
/// squashes the first q too, and writes without the division by the size of t. LN has no gain and
/// bias, |G| is the root of the sum of squares, and what is read has the size of s.
package struct FastWeightMemory: RecurrentCell {
  package enum Variant: String, Codable, CaseIterable, Sendable {
    case catbabi
    case languageModel = "language_model"
  }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 256
    /// Features of s, of t and of what is read.
    package var entitySize = 32
    /// Features of r.
    package var relationSize = 32
    /// Reads a step, each with what the one before has read.
    package var reads = 3
    package var variant = Variant.catbabi
    /// Whether z is added to the output.
    package var residual = false

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + (entitySize >= 2
          ? []
          : [OptionProblem("entity_size", "is \(entitySize); layer norm needs at least 2")])
        + OptionProblem.atLeastOne("relation_size", relationSize)
        + OptionProblem.atLeastOne("reads", reads)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    var lstm = LSTM.Options()
    lstm.hiddenSize = options.hiddenSize
    lstm.forgetBias = 1
    let z = LSTM(options: lstm).step(x, in: g)
    return g.group(.memory) {
      let F = written(by: z, in: g)
      let read = read(F, by: z, in: g)  // (5)
      let bound = Initializer.uniform(1 / Double(read.size).squareRoot())
      let y =
        g.linear("W_out", read, options.hiddenSize) + g.bias("b_out", options.hiddenSize, bound)
      return options.residual ? y + z : y  // (6)
    }
  }

  /// Equations (1) to (4), on a matrix F with a row for every pair of elements of s and r.
  ///
  /// Then (2) and (3) are a read and a write with p = s (x) r, and |G| needs no pass over F:
  ///
  ///     |F + p d^T|^2 = |F|^2 + 2 v d + |s|^2 |r|^2 |d|^2,   v = F^T p
  private func written(by z: Vector, in g: StepBuilder) -> Matrix {
    let (n, m) = (options.entitySize, options.relationSize)
    let F = g.matrix("F", n * m, n)
    let square = g.vector("F_square", 1, isDerived: true)
    let w = projected("write", z, 2 * n + m + 1, in: g)
    let (s, r, t) = (tanh(w[0..<n]), tanh(w[n..<n + m]), tanh(w[n + m..<2 * n + m]))
    let beta = sigmoid(w[2 * n + m..<2 * n + m + 1] + 1)
    let pair = kronecker(s, r)
    let v = F.readTransposed(pair)  // (2)
    let scale = options.variant == .catbabi ? 1 / Double(n) : 1
    let change = scale * (beta * (t - v))
    let grown =
      square + 2 * dot(v, change) + dot(s, s) * dot(r, r) * dot(change, change)
    let shrink = reciprocal(sqrt(relu(grown + -1) + 1))
    g.next(square, shrink * shrink * grown)
    return g.next(F, shrink * F + outer(pair, shrink * change))  // (3), (4)
  }

  private func read(_ F: Matrix, by z: Vector, in g: StepBuilder) -> Vector {
    let (n, m) = (options.entitySize, options.relationSize)
    let w = projected("read", z, n + options.reads * m, in: g)
    let start = options.variant == .catbabi ? w[0..<n] : tanh(w[0..<n])
    return (0..<options.reads).reduce(start) { q, j in
      let e = tanh(w[n + j * m..<n + (j + 1) * m])
      return F.readTransposed(kronecker(q, e)).standardized()
    }
  }

  /// W z + b, W uniform within the root of 6 / (hidden size + size of s).
  private func projected(
    _ name: String, _ z: Vector, _ size: Int, in g: StepBuilder
  ) -> Vector {
    let bound = (6 / Double(z.size + options.entitySize)).squareRoot()
    return g.linear("W_" + name, z, size, .uniform(bound))
      + g.bias("b_" + name, size, .uniform(1 / Double(z.size).squareRoot()))
  }
}
