/// Fast-weight RNN: a recurrent net that attends to its recent past through a decaying Hebbian
/// memory.
///
///     u = W_x x + W_h h + b                                                       (1)
///     h_0 = relu(u),   h_{s+1} = relu(LN(u + A h_s)),   h' = h_S                  (2)
///     A' = decay A + rate h' h'^T                                                 (3)
///
/// Ba, Hinton, Mnih, Leibo and Ionescu 2016, arXiv:1610.06258 (`read_then_write`). In
/// `write_then_read`, the order of Keller, Sridhar and Wang 2018, A is written with h_0 first and
/// then read.
///
/// Controls that tell the memory from what comes with it, by what the inner steps read (`inner`):
///
///     fast        A h_s, the memory
///     slow        W_h h_s: h_{s+1} = relu(LN(W_x x + W_h h_s + b)); as deep, no memory    (4)
///     nothing     h' = relu(LN(u)): layer normalisation alone                            (5)
///     previous    h' = relu(LN(u + A h)): the memory without the additional depth        (6)
///
/// They are those that Orhan 2017 asks for; (4) is a reconstruction of an additional slow step. All
/// have the parameters of the cell itself.
package struct FastWeightRNN: RecurrentCell {
  package enum Order: String, Codable, CaseIterable, Sendable {
    case readThenWrite = "read_then_write"
    case writeThenRead = "write_then_read"
  }

  package enum InnerRead: String, Codable, CaseIterable, Sendable {
    case fast, slow, nothing, previous
  }

  package enum NormSharing: String, Codable, CaseIterable, Sendable { case shared, separate }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
    package var decay = 0.95
    package var rate = 0.5
    package var order = Order.readThenWrite
    /// S, reads of the memory a step.
    package var innerSteps = 1
    /// What the inner steps read: the memory, or as a control something else.
    package var inner = InnerRead.fast
    /// Whether the inner steps share the gain and bias of LN.
    package var norms = NormSharing.shared
    /// W_h starts as this times the identity; 0 starts it uniform.
    package var identityScale = 0.05

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("inner_steps", innerSteps)
        + OptionProblem.outside("decay", decay, 0...1)
        + OptionProblem.outside("rate", rate, 0...10)
        + OptionProblem.outside("identity_scale", identityScale, 0...2) + controlProblems
    }

    private var controlProblems: [OptionProblem] {
      var problems: [OptionProblem] = []
      if innerSteps > 1 && (inner == .nothing || inner == .previous) {
        problems.append(
          OptionProblem("inner_steps", "is \(innerSteps), but inner: \(inner) has one step"))
      }
      if order == .writeThenRead && inner != .fast {
        problems.append(
          OptionProblem("order", "is write_then_read, which only inner: fast can be"))
      }
      return problems
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let h = g.vector("h", n)
    let u = g.fastWeightInput(x, h, identityScale: options.identityScale)  // (1)
    switch options.inner {
    case .fast: break
    case .slow: return g.next(h, deepened(relu(u), x, in: g))
    case .nothing: return g.next(h, relu(g.layerNorm(u, "ln")))  // (5)
    case .previous:
      let memory = g.group(.memory) { g.matrix("A", n, n) }
      let next = g.next(h, relu(g.layerNorm(u + memory.read(h), "ln")))  // (6)
      g.next(memory, options.decay * memory + options.rate * outer(next, next))
      return next
    }
    let memory = g.group(.memory) { g.matrix("A", n, n) }
    var s = relu(u)
    var read = memory
    if options.order == .writeThenRead {
      read = g.next(memory, options.decay * memory + options.rate * outer(s, s))
    }
    for inner in 0..<options.innerSteps {
      s = relu(g.layerNorm(u + read.read(s), norm(inner)))  // (2)
    }
    if options.order == .readThenWrite {
      g.next(memory, options.decay * memory + options.rate * outer(s, s))  // (3)
    }
    return g.next(h, s)
  }

  /// (4) from h_0 on.
  private func deepened(_ start: Vector, _ x: Vector, in g: StepBuilder) -> Vector {
    (0..<options.innerSteps).reduce(start) { h, inner in
      let u = g.fastWeightInput(x, h, identityScale: options.identityScale)
      return relu(g.layerNorm(u, norm(inner)))
    }
  }

  private func norm(_ inner: Int) -> String {
    options.norms == .shared || inner == 0 ? "ln" : "ln_\(inner + 1)"
  }
}

extension StepBuilder {
  /// W_x x + W_h h + b, uniform but for W_h = identityScale I where that is not 0.
  func fastWeightInput(_ x: Vector, _ h: Vector, identityScale: Double) -> Vector {
    let n = h.size
    let bound = Initializer.uniform(1 / Double(n).squareRoot())
    let recurrent = identityScale == 0 ? bound : .identity(identityScale)
    return linear("W_x", x, n, bound) + linear("W_h", h, n, recurrent) + bias("b", n)
  }
}
