/// The LSTM that reads a stack and acts on it, with gates i, f, o, g.
///
///     i, f, o, g = W_x [x; r] + W_h h + b,   c' = sigmoid(f) c + sigmoid(i) tanh(g)
///     h' = sigmoid(o) tanh(c')
///
/// At first uniform on [-0.1, 0.1] with its biases, as in the source of the stack cells.
extension StepBuilder {
  /// h' of the controller for the input `x` and what the stack gives to read.
  func stackController(_ x: Vector, reading: [Vector], hiddenSize n: Int) -> Vector {
    let h = vector("h", n)
    let c = vector("c", n)
    let start = Initializer.uniform(0.1)
    let z =
      linear("W_x", concatenate([x] + reading), 4 * n, start) + linear("W_h", h, 4 * n, start)
      + bias("b", 4 * n, start)
    let gates = z.split(4)
    let cell = next(c, sigmoid(gates[1]) * c + sigmoid(gates[0]) * tanh(gates[3]))
    return next(h, sigmoid(gates[2]) * tanh(cell))
  }

  /// W h + b of the memory `name`: W_name and b_name.
  func stackLayer(_ name: String, _ h: Vector, _ size: Int) -> Vector {
    linear("W_\(name)", h, size, .xavierUniform(1)) + bias("b_\(name)", size, .uniform(0.1))
  }
}
