/// Long short-term memory, gate order i, f, o, g.
///
///     i, f, o, g = W_x x + W_h h + b                                              (1)
///     c' = sigmoid(f + forget_bias) c + sigmoid(i) tanh(g)                        (2)
///     h' = sigmoid(o) tanh(c')                                                    (3)
///
/// Hochreiter and Schmidhuber 1997 with the forget gate of Gers, Schmidhuber and Cummins 2000. The
/// forget bias is a start value of b, as usual, so that the learned b is the whole bias. Elements of W_h
/// can be dropped in training, the same ones for a whole batch (`DroppedWeight`).
package struct LSTM: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
    /// At the start of training.
    package var forgetBias = 0.0
    /// The probability of dropping an element of W_h for a batch.
    package var weightDrop = 0.0

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + (0..<1 ~= weightDrop
          ? []
          : [
            OptionProblem(
              "weight_drop", "is \(weightDrop); 0 up to, not including, 1 is possible")
          ])
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let h = g.vector("h", n)
    let c = g.vector("c", n)
    let bias = Initializer.block(index: 1, count: 4, value: options.forgetBias)
    let start = Initializer.uniform(1 / Double(n).squareRoot())
    let input = g.linear("W_x", x, 4 * n, start)
    let recurrent =
      options.weightDrop > 0
      ? g.linear(g.dropped("W_h", 4 * n, n, start, options.weightDrop), h)
      : g.linear("W_h", h, 4 * n, start)
    let z = input + recurrent + g.bias("b", 4 * n, bias)  // (1)
    let gates = z.split(4)
    let next = g.next(c, sigmoid(gates[1]) * c + sigmoid(gates[0]) * tanh(gates[3]))  // (2)
    return g.next(h, sigmoid(gates[2]) * tanh(next))  // (3)
  }
}
