/// LSTM with a stack machine of several states of which all runs are followed at once.
///
///     h', c' = LSTM([x; r], h, c)                                                 (1)
///     log weights of push, replace and pop = W_a h' + b_a                          (2)
///     r' = probability of each state and top symbol after a step of these weights   (3)
///
/// The renormalising nondeterministic stack RNN of DuSell and Chiang 2022, arXiv:2109.01982, and their
/// ICLR 2023 paper, verified with their program. Weights are not normalised, the reading is. The first
/// step reads the first symbol. With `window` D, runs that would last more than D steps from a push
/// are dropped, and memory does not grow with the sequence.
package struct NondeterministicStackRNN: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 20
    /// States of the machine.
    package var states = 3
    /// Symbols that may stand on the stack.
    package var symbols = 3
    /// The most steps from a push to the last use of what it pushed; 0 is no limit.
    package var window = 0

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.nondeterministicStack(states: states, symbols: symbols, window: window)
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
    let stack = g.nondeterministicStack(
      "stack", states: options.states, symbols: options.symbols, window: options.window)
    let h = g.stackController(x, reading: [stack.reading()], hiddenSize: options.hiddenSize)  // (1)
    g.group(.memory) {
      g.next(stack, weights: g.stackLayer("a", h, stack.operations))  // (2), (3)
    }
    return h
  }
}

extension OptionProblem {
  /// The problems of the sizes of a nondeterministic stack.
  static func nondeterministicStack(states: Int, symbols: Int, window: Int) -> [OptionProblem] {
    atLeastOne("states", states) + atLeastOne("symbols", symbols)
      + (window == 0 || window >= 2
        ? [] : [OptionProblem("window", "is \(window); 0 is none, otherwise at least 2 is needed")])
  }

  /// The problem of a stack without a window for sequences without an end, if it is one.
  static func missingWindow(_ window: Int, _ shape: TaskShape) -> [OptionProblem] {
    shape.carriesState && window == 0
      ? [
        OptionProblem(
          "window",
          "is 0; this task's sequences go on from batch to batch: a window is needed, such as 35")
      ] : []
  }
}
