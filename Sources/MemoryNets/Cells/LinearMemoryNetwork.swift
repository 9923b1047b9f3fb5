/// Linear memory network: a nonlinear functional component beside a linear memory.
///
///     h = tanh(W_xh x + W_mh m + b_h)                                             (1)
///     m' = W_hm h + W_mm m + b_m                                                  (2)
///
/// Bacciu, Carta and Sperduti 2019, arXiv:1811.03356. What is read is the functional component
/// (`hidden`, LMN-A) or the memory (`memory`, LMN-B). Xavier-normal start, biases 0; or a start from a
/// linear autoencoder, of the inputs (`inputs`) or of the hidden states of a net that is trained first
/// (`hidden_states`). With `detach` the gradient through m in (1) stops at a step of a sequence with that
/// probability, never that through (2). `orthogonal_penalty` is alpha of alpha |W_mm W_mm^T - I|^2.
package struct LinearMemoryNetwork: RecurrentCell {
  package enum Read: String, Codable, CaseIterable, Sendable { case hidden, memory }
  package enum MemoryStart: String, Codable, CaseIterable, Sendable { case xavier, orthogonal }
  package enum Initialization: String, Codable, CaseIterable, Sendable {
    case drawn, inputs
    case hiddenStates = "hidden_states"
  }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
    /// 0 takes hidden_size.
    package var memorySize = 0
    package var read = Read.memory
    /// How W_mm is drawn.
    package var memoryInit = MemoryStart.xavier
    /// 0 is none.
    package var orthogonalPenalty = 0.0
    package var detach = 0.0
    package var initialization = Initialization.drawn
    /// Training sequences that an autoencoder is fitted to, at most.
    package var initializationSequences = 256
    /// Of `hidden_states`: updates, out of all, that train the net whose hidden states are taken.
    package var pretrainSteps = 1000
    /// Of `hidden_states`: hidden states that this net sees, the present one among them.
    package var window = 10

    package init() {}

    var resolvedMemorySize: Int { memorySize == 0 ? hiddenSize : memorySize }

    package func validate() -> [OptionProblem] {
      var problems =
        OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.outside("orthogonal_penalty", orthogonalPenalty, 0...1000)
        + OptionProblem.outside("detach", detach, 0...1)
        + OptionProblem.atLeastOne("initialization_sequences", initializationSequences)
        + OptionProblem.atLeastOne("pretrain_steps", pretrainSteps)
      if memorySize < 0 {
        problems.append(OptionProblem("memory_size", "is \(memorySize); 0 takes hidden_size"))
      }
      if window < 2 {
        problems.append(OptionProblem("window", "is \(window); at least 2 is needed"))
      }
      if initialization == .inputs && (read != .memory || resolvedMemorySize != hiddenSize) {
        problems.append(
          OptionProblem(
            "initialization", "is inputs, which needs read memory and memory_size = hidden_size"))
      }
      return problems
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package var dataStart: (any DataStart)? {
    switch options.initialization {
    case .drawn: nil
    case .inputs:
      InputStart(
        sequenceLimit: options.initializationSequences, memorySize: options.hiddenSize,
        names: .init(
          input: "layer0.W_xh", recurrent: "layer0.W_mm", bias: "layer0.b_m",
          zero: ["layer0.W_mh", "layer0.b_h"], identity: "layer0.W_hm"))
    case .hiddenStates:
      HiddenStateStart(
        firstUpdate: options.pretrainSteps, sequenceLimit: options.initializationSequences,
        hiddenSize: options.hiddenSize, memorySize: options.resolvedMemorySize,
        window: options.window, readsMemory: options.read == .memory)
    }
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let size = options.resolvedMemorySize
    let m = g.vector("m", size)
    let xavier = Initializer.xavierNormal(1)
    let seen = g.detach(m, probability: options.detach)
    let h = tanh(
      g.linear("W_xh", x, n, xavier) + g.linear("W_mh", seen, n, xavier) + g.bias("b_h", n))  // (1)
    let next = g.group(.memory) {  // (2)
      g.linear("W_hm", h, size, xavier)
        + g.linear("W_mm", m, size, options.memoryInit == .orthogonal ? .orthogonal : xavier)
        + g.bias("b_m", size)
    }
    if options.orthogonalPenalty > 0 {
      g.penalizeOrthogonality(of: "W_mm", by: options.orthogonalPenalty)
    }
    g.next(m, next)
    return options.read == .hidden ? h : next
  }
}
