/// Gated recurrent unit, gate order r, z, n, with the reset after the product.
///
///     r = sigmoid(W_x x + b_x + W_h h + b_h),   z likewise                        (1)
///     n = tanh(W_x x + b_x + r (W_h h + b_h))                                     (2)
///     h' = (1 - z) n + z h                                                        (3)
///
/// Cho et al. 2014, arXiv:1406.1078, in the form that cuDNN and PyTorch compute.
package struct GRU: RecurrentCell {
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
    let bound = Initializer.uniform(1 / Double(n).squareRoot())
    let fromInput = (g.linear("W_x", x, 3 * n, bound) + g.bias("b_x", 3 * n)).split(3)
    let fromState = (g.linear("W_h", h, 3 * n) + g.bias("b_h", 3 * n)).split(3)
    let r = sigmoid(fromInput[0] + fromState[0])  // (1)
    let z = sigmoid(fromInput[1] + fromState[1])
    let candidate = tanh(fromInput[2] + r * fromState[2])  // (2)
    return g.next(h, (1 - z) * candidate + z * h)  // (3)
  }
}
