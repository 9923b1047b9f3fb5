/// Coupled oscillatory recurrent net: driven, damped oscillators, one Euler step at a time.
///
///     z' = z + dt (tanh(W_x x + W_z z + W_y y + b) - gamma y - epsilon z)         (1)
///     y' = y + dt z'                                                              (2)
///
/// Rusch and Mishra 2021, "Coupled oscillatory recurrent neural network (coRNN)". The start is that of
/// one linear map of [x; y; z]. Defaults are those for permuted sequential MNIST.
package struct CoupledOscillatorRNN: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 256
    /// dt.
    package var timeStep = 0.076
    /// Of the restoring force.
    package var gamma = 0.4
    /// Of the damping.
    package var epsilon = 8.0

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.outside("time_step", timeStep, 0...1)
        + OptionProblem.outside("gamma", gamma, 0...1000)
        + OptionProblem.outside("epsilon", epsilon, 0...1000)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let y = g.vector("y", n)
    let z = g.vector("z", n)
    let start = Initializer.uniform(1 / Double(x.size + 2 * n).squareRoot())
    let drive = tanh(
      g.linear("W_x", x, n, start) + g.linear("W_z", z, n, start) + g.linear("W_y", y, n, start)
        + g.bias("b", n, start))
    let dt = options.timeStep
    let velocity = g.next(
      z, dt * drive + (-dt * options.gamma) * y + (1 - dt * options.epsilon) * z)  // (1)
    return g.next(y, y + dt * velocity)  // (2)
  }
}
