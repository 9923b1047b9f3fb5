/// LSTM with a stack of vectors that are pushed and removed by parts.
///
///     h', c' = LSTM([x; r], h, c)                                                 (1)
///     u, d = sigmoid(W_a h' + b_a),   v = tanh(W_v h' + b_v)                       (2)
///     r' = what is read after d is removed from the top and v pushed with strength u   (3)
///
/// Grefenstette, Hermann, Suleyman and Blunsom 2015, arXiv:1506.02516, with the controller and wiring of
/// DuSell and Chiang, ICLR 2023, verified with their program. The state size counts an entry for each
/// step of the task's longest sequence.
package struct StratifiedStackRNN: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 20
    /// Numbers of an entry of the stack.
    package var vectorSize = 10

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("vector_size", vectorSize)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func problems(with shape: TaskShape) -> [OptionProblem] {
    shape.carriesState
      ? [
        OptionProblem(
          "cell",
          "is stratified_stack; this task's sequences go on from batch to batch, and its stack "
            + "grows with them: stack_rnn, rns_stack and vrns_stack have limits")
      ] : []
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let r = g.vector("r", options.vectorSize)
    let h = g.stackController(x, reading: [r], hiddenSize: options.hiddenSize)  // (1)
    g.group(.memory) {
      let strengths = sigmoid(g.stackLayer("a", h, 2))
      let v = tanh(g.stackLayer("v", h, options.vectorSize))  // (2)
      g.next(r, g.stratifiedStack(pushing: v, strengths: strengths))  // (3)
    }
    return h
  }
}
