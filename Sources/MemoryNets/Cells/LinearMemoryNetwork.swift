/// Linear memory network: a nonlinear functional component beside a linear memory.
///
///     h = tanh(W_xh x + W_mh m + b_h)                                             (1)
///     m' = W_hm h + W_mm m + b_m                                                  (2)
///
/// Bacciu, Carta and Sperduti 2019, arXiv:1811.03356. What is read is the functional component
/// (`hidden`, LMN-A) or the memory (`memory`, LMN-B). Xavier-normal start, biases 0.
package struct LinearMemoryNetwork: RecurrentCell {
  package enum Read: String, Codable, CaseIterable, Sendable { case hidden, memory }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
    /// 0 takes hidden_size.
    package var memorySize = 0
    package var read = Read.memory

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + (memorySize >= 0
          ? [] : [OptionProblem("memory_size", "is \(memorySize); 0 takes hidden_size")])
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let memorySize = options.memorySize == 0 ? n : options.memorySize
    let m = g.vector("m", memorySize)
    let xavier = Initializer.xavierNormal(1)
    let h = tanh(g.linear("W_xh", x, n, xavier) + g.linear("W_mh", m, n, xavier) + g.bias("b_h", n))
    let next = g.group(.memory) {  // (2)
      g.linear("W_hm", h, memorySize, xavier) + g.linear("W_mm", m, memorySize, xavier)
        + g.bias("b_m", memorySize)
    }
    g.next(m, next)
    return options.read == .hidden ? h : next
  }
}
