/// The net from which a linear memory network takes its start from hidden states: it sees the last
/// hidden states themselves.
///
///     h = tanh(W_xh x + W_past [h_{t-1}; ...; h_{t-k+1}] + b_h)                   (1)
///
/// What is read is the window [h; h_{t-1}; ...; h_{t-k+1}], or h alone. Gradients go through the whole
/// sequence, not through one window as in the authors' program.
struct UnrolledNetwork: RecurrentCell {
  let hiddenSize: Int
  let window: Int
  let readsWindow: Bool

  func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = hiddenSize
    let past = g.vector("past", (window - 1) * n)
    let xavier = Initializer.xavierNormal(1)
    let h = tanh(
      g.linear("W_xh", x, n, xavier) + g.linear("W_past", past, n, xavier) + g.bias("b_h", n))
    g.observe(h)
    let kept = (window - 2) * n
    g.next(past, kept == 0 ? 1 * h : concatenate([h, past[0..<kept]]))
    return readsWindow ? concatenate([h, past]) : h
  }
}
