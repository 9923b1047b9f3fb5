/// Exponential recurrent net: an orthogonal recurrent matrix, trained without constraint.
///
///     B = exp(S),   S = A - A^T                                                   (1)
///     h' = modrelu(W_x x + B h, b),   modrelu(z, b) = sign(z) relu(|z| + b)       (2)
///
/// A is strictly upper triangular and a parameter; B is computed once a batch. Lezcano-Casado and
/// Martinez-Rubio 2019, arXiv:1901.08428, with the identity as base point for the whole training. A
/// starts block-diagonal, with angles uniform on [-pi, pi] (`henaff`) or by the Cayley map, and is
/// trained with a tenth of the learning rate; b starts uniform on [-0.01, 0.01].
package struct ExponentialRNN: RecurrentCell {
  package enum RotationStart: String, Codable, CaseIterable, Sendable { case henaff, cayley }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 190
    package var rotationStart = RotationStart.henaff
    /// What the learning rate is multiplied by for A.
    package var rotationRate = 0.1

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + (rotationRate > 0 && rotationRate <= 10
          ? []
          : [OptionProblem("rotation_rate", "is \(rotationRate); above 0 up to 10 is possible")])
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let h = g.vector("h", n)
    let start = options.rotationStart == .henaff ? PlaneAngles.uniform : .cayley
    let b = g.learningRate(times: options.rotationRate) {
      g.rotation("A", n, .planeAngles(start))  // (1)
    }
    let inputStart = Initializer.normal((2 / Double(x.size)).squareRoot())
    let z = g.linear("W_x", x, n, inputStart) + g.linear(b, h)
    return g.next(h, modReLU(z, g.bias("b", n, .uniform(0.01))))  // (2)
  }
}
