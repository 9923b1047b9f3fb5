/// The nondeterministic stack RNN of `NondeterministicStackRNN` with symbols that carry vectors.
///
///     h', c' = LSTM([x; r], h, c)                                                 (1)
///     log weights of push, replace and pop = W_a h' + b_a,   v = sigmoid(W_v h' + b_v)  (2)
///     r' = for each state and top symbol its probability times the expected vector    (3)
///
/// What is pushed carries v, what replaces carries on the vector of what it replaces, and a pop
/// uncovers the vector below; the first symbol carries sigmoid(v_0), learned. DuSell and Chiang, "The
/// Surprising Computational Power of Nondeterministic Stack RNNs", ICLR 2023, verified with their
/// program.
package struct VectorNondeterministicStackRNN: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 20
    /// States of the machine.
    package var states = 3
    /// Symbols that may stand on the stack.
    package var symbols = 3
    /// Numbers that a symbol carries.
    package var vectorSize = 5
    /// The most steps from a push to the last use of what it pushed; 0 is no limit.
    package var window = 0

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.nondeterministicStack(states: states, symbols: symbols, window: window)
        + OptionProblem.atLeastOne("vector_size", vectorSize)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func problems(with shape: TaskShape) -> [OptionProblem] {
    OptionProblem.missingWindow(options.window, shape)
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let size = options.vectorSize
    let stack = g.nondeterministicStack(
      "stack", states: options.states, symbols: options.symbols, carrying: size,
      window: options.window)
    let first = g.group(.memory) { sigmoid(g.bias("v_0", size, .uniform(0.1))) }
    let h = g.stackController(
      x, reading: [stack.reading(first: first)], hiddenSize: options.hiddenSize)  // (1)
    g.group(.memory) {
      let weights = g.stackLayer("a", h, stack.operations)
      g.next(stack, weights: weights, pushing: sigmoid(g.stackLayer("v", h, size)))  // (2), (3)
    }
    return h
  }
}
