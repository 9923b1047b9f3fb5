/// Plain recurrent net.
///
///     h' = f(W_x x + W_h h + b)                                                   (1)
///
/// Elman, "Finding structure in time", 1990. With ReLU and W_h = scale I at the start it is the
/// IRNN of Le, Jaitly and Hinton 2015, arXiv:1504.00941. With `initialization: inputs` it starts as a
/// linear autoencoder of its inputs: tanh(z) is about z near 0.
package struct Elman: RecurrentCell {
  package enum ActivationFunction: String, Codable, CaseIterable, Sendable { case tanh, relu }
  package enum RecurrentStart: String, Codable, CaseIterable, Sendable {
    case uniform, identity, orthogonal
  }
  package enum Initialization: String, Codable, CaseIterable, Sendable { case drawn, inputs }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
    package var activation = ActivationFunction.tanh
    /// How W_h starts.
    package var recurrentInit = RecurrentStart.uniform
    /// The scale of the identity.
    package var identityScale = 1.0
    package var initialization = Initialization.drawn
    /// Training sequences that an autoencoder is fitted to, at most.
    package var initializationSequences = 256

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.outside("identity_scale", identityScale, 0...2)
        + OptionProblem.atLeastOne("initialization_sequences", initializationSequences)
        + (initialization == .drawn || activation == .tanh
          ? [] : [OptionProblem("initialization", "is inputs, which needs activation tanh")])
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package var dataStart: (any DataStart)? {
    options.initialization == .drawn
      ? nil
      : InputStart(
        sequenceLimit: options.initializationSequences, memorySize: options.hiddenSize,
        names: .init(input: "layer0.W_x", recurrent: "layer0.W_h", bias: "layer0.b"))
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let h = g.vector("h", n)
    let start: Initializer? =
      switch options.recurrentInit {
      case .uniform: nil
      case .identity: .identity(options.identityScale)
      case .orthogonal: .orthogonal
      }
    let u = g.linear("W_x", x, n) + g.linear("W_h", h, n, start) + g.bias("b", n)  // (1)
    return g.next(h, options.activation == .relu ? relu(u) : tanh(u))
  }
}
