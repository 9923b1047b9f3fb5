/// Multiscale linear memory network: a linear memory in modules, module i of which runs at every 2^i-th
/// step.
///
///     h = tanh(W_xh x + W_mh m + b_h)                                             (1)
///     m_i' = W_hm,i h + b_i + sum over j >= i of W_mm,ij m_j   if t mod 2^i = 0, else m_i   (2)
///
/// t counts from 0, so that all modules run at the first step of a sequence; a module reads itself and
/// slower ones. What is read is the whole memory. Xavier-normal start, biases 0, or module after module
/// from the net's own hidden states (`incremental`). Carta, Sperduti and Bacciu 2020,
/// arXiv:2006.16800; the default sizes are of their handwriting experiment.
package struct MultiScaleLinearMemoryNetwork: RecurrentCell {
  package enum Initialization: String, Codable, CaseIterable, Sendable { case drawn, incremental }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 102
    /// Features of a module.
    package var moduleSize = 11
    package var modules = 9
    package var initialization = Initialization.drawn
    /// Of `incremental`: updates between two modules.
    package var growEvery = 1000
    /// Of `incremental`: training sequences that a module is fitted to, at most.
    package var initializationSequences = 256

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("module_size", moduleSize)
        + (1...30 ~= modules
          ? [] : [OptionProblem("modules", "is \(modules); 1 to 30 are possible")])
        + OptionProblem.atLeastOne("grow_every", growEvery)
        + OptionProblem.atLeastOne("initialization_sequences", initializationSequences)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package var dataStart: (any DataStart)? {
    options.initialization == .drawn
      ? nil
      : IncrementalStart(
        sequenceLimit: options.initializationSequences, memorySize: options.moduleSize,
        modules: options.modules, growEvery: options.growEvery)
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let (n, size) = (options.hiddenSize, options.moduleSize)
    let total = options.modules * size
    let xavier = Initializer.xavierNormal(1)
    let m = g.vector("m", total)
    let h = tanh(
      g.linear("W_xh", x, n, xavier) + g.linear("W_mh", m, n, xavier) + g.bias("b_h", n))  // (1)
    if options.initialization == .incremental { g.observe(h) }
    return g.group(.memory) {
      let entry = g.linear("W_hm", h, total, xavier) + g.bias("b_m", total)
      let modules = (0..<options.modules).map { i in
        let own = i * size..<(i + 1) * size
        let next = entry[own] + g.linear("W_mm_\(i)", m[i * size..<total], size, xavier)
        guard i > 0 else { return next }
        let runs = g.clock(period: 1 << i)
        return runs * next + (1 - runs) * m[own]  // (2)
      }
      return g.next(m, concatenate(modules))
    }
  }
}
