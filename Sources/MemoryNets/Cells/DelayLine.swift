/// Delay line: the last inputs side by side, and what a layer makes of them.
///
///     d' = [x; d without its oldest input]                                        (1)
///     h = tanh(W d' + b)                                                          (2)
///
/// A memory that forgets nothing for `length` steps and everything then; nothing recurrent is trained.
/// What is read is h (`hidden`) or the line itself (`memory`).
package struct DelayLine: RecurrentCell {
  package enum Read: String, Codable, CaseIterable, Sendable { case hidden, memory }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
    /// Inputs that the line holds, the present one among them.
    package var length = 10
    package var read = Read.hidden

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("length", length)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let line = g.vector("d", options.length * x.size)
    let kept = (options.length - 1) * x.size
    let next = g.next(line, kept == 0 ? 1 * x : concatenate([x, line[0..<kept]]))  // (1)
    if options.read == .memory { return next }
    let n = options.hiddenSize
    return tanh(g.linear("W", next, n) + g.bias("b", n))  // (2)
  }
}
