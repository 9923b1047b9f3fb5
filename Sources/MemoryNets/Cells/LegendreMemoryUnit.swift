/// Legendre memory unit: a fixed linear system that keeps a window of its input as Legendre
/// polynomials, beside a nonlinear hidden state.
///
///     u = e_x x + e_h h + e_m m                                                   (1)
///     m' = A m + B u                                                              (2)
///     h' = tanh(W_x x + W_h h + W_m m')                                           (3)
///
/// A and B are made of theta m' = A_c m + B_c u over one step, with a_ij = (2i + 1) (-1 if i < j, else
/// (-1)^(i - j + 1)) and b_i = (2i + 1) (-1)^i: exactly for an input that is held (`zoh`), or
/// A = I + A_c / theta, B = B_c / theta (`euler`). They are not trained. Voelker, Kajic and Eliasmith
/// 2019, "Legendre memory units". Defaults are those for permuted sequential MNIST.
package struct LegendreMemoryUnit: RecurrentCell {
  package enum Discretization: String, Codable, CaseIterable, Sendable { case zoh, euler }
  package enum EncoderStart: String, Codable, CaseIterable, Sendable { case drawn, unit }
  package enum Read: String, Codable, CaseIterable, Sendable { case hidden, memory }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 212
    /// Polynomials.
    package var memorySize = 256
    /// Steps that the memory spans.
    package var theta = 784.0
    package var discretization = Discretization.zoh
    /// How u starts: `drawn`, e_x and e_h LeCun-uniform, e_m 0; `unit`, e_x 1, e_h, e_m and W_x 0.
    package var encoderStart = EncoderStart.drawn
    package var read = Read.hidden

    package init() {}

    package func validate() -> [OptionProblem] {
      var problems =
        OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("memory_size", memorySize)
      if !(theta > 0 && theta.isFinite) {
        problems.append(OptionProblem("theta", "is \(theta); a number of steps above 0 is needed"))
      } else if discretization == .euler && theta < 4 * Double(memorySize) {
        problems.append(
          OptionProblem(
            "theta",
            "is \(theta); euler is stable from 4 memory_size = \(4 * memorySize) on, zoh always"))
      }
      return problems
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let (n, size) = (options.hiddenSize, options.memorySize)
    let h = g.vector("h", n)
    let m = g.vector("m", size)
    let system = Self.system(size: size, theta: options.theta, options.discretization)
    let isUnit = options.encoderStart == .unit
    let memory = g.group(.memory) {
      let inputs: Initializer = .uniform((3 / Double(x.size)).squareRoot())
      let states: Initializer = .uniform((3 / Double(n)).squareRoot())
      let u =
        g.linear("e_x", x, 1, isUnit ? .constant(1) : inputs)
        + g.linear("e_h", h, 1, isUnit ? .constant(0) : states)
        + g.linear("e_m", m, 1, .constant(0))  // (1)
      let a = g.fixed("A", size, size, system.a)
      let b = g.fixed("B", size, 1, system.b)
      return g.next(m, g.linear(a, m) + g.linear(b, u))  // (2)
    }
    let glorot = Initializer.xavierNormal(1)
    let next = tanh(
      g.linear("W_x", x, n, isUnit ? .constant(0) : glorot) + g.linear("W_h", h, n, glorot)
        + g.linear("W_m", memory, n, glorot))  // (3)
    g.next(h, next)
    return options.read == .hidden ? next : memory
  }

  /// A (size, size) and B (size) of one step.
  package static func system(
    size: Int, theta: Double, _ discretization: Discretization
  ) -> (a: [Double], b: [Double]) {
    // exp([A_c B_c; 0 0] / theta) = [A B; 0 I].
    let wide = size + 1
    var continuous = [Double](repeating: 0, count: wide * wide)
    for i in 0..<size {
      let gain = Double(2 * i + 1) / theta
      for j in 0..<size { continuous[i * wide + j] = i < j || (i - j) % 2 == 0 ? -gain : gain }
      continuous[i * wide + size] = i % 2 == 0 ? gain : -gain
    }
    var step = continuous
    switch discretization {
    case .zoh: step = matrixExponential(continuous, size: wide)
    case .euler: for i in 0..<wide { step[i * wide + i] += 1 }
    }
    let rows = (0..<size).map { step[$0 * wide..<$0 * wide + size] }
    return (rows.flatMap { Array($0) }, (0..<size).map { step[$0 * wide + size] })
  }
}
