/// Continuous-time recurrent net: leaky units, one Euler step of length alpha = dt / tau at a time.
///
///     current   h' = (1 - alpha) h + alpha (W_h f(h) + W_x x + b),   read f(h')   (1)
///     rate      h' = (1 - alpha) h + alpha f(W_h h + W_x x + b),     read h'      (2)
///
/// The equations of rate models of neurons, from Funahashi and Nakamura 1993 on, in their usual form;
/// alpha from 0.05 to 0.2 is common.
package struct ContinuousTimeRNN: RecurrentCell {
  package enum Form: String, Codable, CaseIterable, Sendable { case current, rate }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
    package var form = Form.current
    package var activation = Elman.ActivationFunction.tanh
    /// The part of a time constant that a step lasts.
    package var alpha = 0.1

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + (alpha > 0 && alpha <= 1
          ? [] : [OptionProblem("alpha", "is \(alpha); above 0 up to 1 is possible")])
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let alpha = options.alpha
    let h = g.vector("h", n)
    func f(_ u: Vector) -> Vector { options.activation == .relu ? relu(u) : tanh(u) }

    let recurrent = options.form == .current ? f(h) : h
    let u = g.linear("W_x", x, n) + g.linear("W_h", recurrent, n) + g.bias("b", n)
    switch options.form {
    case .current: return f(g.next(h, (1 - alpha) * h + alpha * u))  // (1)
    case .rate: return g.next(h, (1 - alpha) * h + alpha * f(u))  // (2)
    }
  }
}
