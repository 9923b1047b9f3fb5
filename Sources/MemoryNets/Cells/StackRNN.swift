/// LSTM with stacks whose actions are a superposition of push, pop and no operation.
///
///     h', c' = LSTM([x; S_1[0]; ...], h, c)                                       (1)
///     a_k = softmax(W_a h' + b_a)_k,   v_k = sigmoid(W_v h' + b_v)_k, or h'        (2)
///     S_k'[i] = a_push S_k[i - 1] + a_noop S_k[i] + a_pop S_k[i + 1],   S_k[-1] = v_k  (3)
///
/// Joulin and Mikolov 2015, arXiv:1503.01007, with the controller and wiring of DuSell and Chiang,
/// "The Surprising Computational Power of Nondeterministic Stack RNNs", ICLR 2023, verified with their
/// program: a step reads the stack after the actions that follow from the step before, at first an
/// empty one. An unlimited stack holds as many cells as can come to the top again, half the steps of
/// the task's longest sequence; the state size counts these.
package struct StackRNN: RecurrentCell {
  /// What is pushed.
  package enum Pushed: String, Codable, CaseIterable, Sendable {
    /// A vector of its own.
    case learned
    /// The hidden state.
    case hidden
  }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 20
    package var stacks = 1
    package var pushed = Pushed.learned
    /// Numbers of a cell of a stack, where what is pushed is learned.
    package var vectorSize = 10
    /// The most cells of a stack; 0 is no limit.
    package var depthLimit = 0

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("stacks", stacks)
        + OptionProblem.atLeastOne("vector_size", vectorSize)
        + (depthLimit >= 0
          ? [] : [OptionProblem("depth_limit", "is \(depthLimit); 0 is no limit")])
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func problems(with shape: TaskShape) -> [OptionProblem] {
    shape.carriesState && options.depthLimit == 0
      ? [
        OptionProblem(
          "depth_limit",
          "is 0; this task's sequences go on from batch to batch: a limit is needed, such as 10")
      ] : []
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let size = options.pushed == .hidden ? options.hiddenSize : options.vectorSize
    let depth = options.depthLimit == 0 ? nil : options.depthLimit
    let stacks = (0..<options.stacks).map {
      g.stack($0 == 0 ? "S" : "S_\($0 + 1)", depth: depth, size)
    }
    let h = g.stackController(x, reading: stacks.map(\.top), hiddenSize: options.hiddenSize)  // (1)
    g.group(.memory) {
      let actions = g.stackLayer("a", h, 3 * stacks.count).split(stacks.count)
      let pushed =
        options.pushed == .hidden
        ? stacks.map { _ in h }
        : sigmoid(g.stackLayer("v", h, size * stacks.count)).split(stacks.count)  // (2)
      for (stack, (a, v)) in zip(stacks, zip(actions, pushed)) {
        g.next(stack, actions: a, pushing: v)  // (3)
      }
    }
    return h
  }
}
