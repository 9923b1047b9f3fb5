/// Gated fast weights: a slow net that programs the two layers of a fast net at every step.
///
///     s = tanh(S_1 [h_s, x]),   (z, delta_1, delta_2) = S_2 s,   h_s' = tanh(z)      (1)
///     (a, b, c, d) = delta_l,   H = tanh(a) tanh(b)^T,   G = f(c) f(d)^T             (2)
///     F_l' = G . H + (1 - G) . F_l                                                   (3)
///     h_f' = LN(tanh(F_2' LN(tanh(F_1' [h_f, x]))))                                  (4)
///
/// Schlag and Schmidhuber, "Gated fast weights for on-the-fly neural program generation", 2017, in
/// the form of T. A. Keller's public code: no biases, S uniform within sqrt(2 / inputs). There
/// f is tanh, so that 1 - G can exceed 1 and the fast weights grow; `sigmoid` keeps it within (0, 1).
package struct GatedFastWeights: RecurrentCell {
  package enum Gate: String, Codable, CaseIterable, Sendable { case tanh, sigmoid }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 40
    /// Features of s.
    package var slowSize = 100
    /// f, the function of the gates' factors.
    package var gate = Gate.tanh

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("slow_size", slowSize)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let slow = g.vector("h_s", n)
    let fast = g.vector("h_f", n)
    let input = concatenate([fast, x])
    let layers = [(n, input.size), (n, n)]

    let s = tanh(heUniform(g, "S_1", concatenate([slow, x]), options.slowSize))
    let deltas = layers.map { 2 * ($0.0 + $0.1) }
    let programs = heUniform(g, "S_2", s, n + deltas[0] + deltas[1])
    g.next(slow, tanh(programs[0..<n]))  // (1)

    var y = input
    var position = n
    for (l, (rows, columns)) in layers.enumerated() {
      let F = g.group(.memory) { g.matrix("F_\(l + 1)", rows, columns) }
      let delta = programs[position..<position + deltas[l]]
      position += deltas[l]
      y = g.layerNorm(tanh(g.next(F, update(F, by: delta)).read(y)), "ln_\(l + 1)")  // (4)
    }
    return g.next(fast, y)
  }

  /// (2) and (3); what is written under the gate is one outer product as well.
  private func update(_ F: Matrix, by delta: Vector) -> Matrix {
    let (n, m) = (F.rows, F.columns)
    let gate: (Vector) -> Vector = options.gate == .tanh ? { tanh($0) } : { sigmoid($0) }
    let (a, b) = (tanh(delta[0..<n]), tanh(delta[n..<n + m]))
    let (c, d) = (gate(delta[n + m..<2 * n + m]), gate(delta[2 * n + m..<2 * (n + m)]))
    return F - F.scalingRows(by: c).scalingColumns(by: d) + outer(c * a, d * b)
  }

  private func heUniform(
    _ g: StepBuilder, _ name: String, _ x: Vector, _ size: Int
  ) -> Vector {
    g.linear(name, x, size, .uniform((2 / Double(x.size)).squareRoot()))
  }
}
