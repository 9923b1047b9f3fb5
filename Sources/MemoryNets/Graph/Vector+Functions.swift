// MARK: - Element by element

/// e^a; in Float a counts as at least -87 and at most 88.
package func exp(_ a: Vector) -> Vector { a.activated(.exp) }

/// The natural logarithm; what is below the smallest normal number counts as that.
package func log(_ a: Vector) -> Vector { a.activated(.log) }

/// log(1 + e^a), so that the logarithm of sigmoid(a) is -softplus(-a).
package func softplus(_ a: Vector) -> Vector { a.activated(.softplus) }

/// a sigmoid(a).
package func silu(_ a: Vector) -> Vector { a * sigmoid(a) }

/// ELU(a) + 1: a + 1 above 0, e^a below, positive everywhere.
package func eluPlusOne(_ a: Vector) -> Vector { a.activated(.eluPlusOne) }

/// The square root; its derivative is infinite at 0.
package func sqrt(_ a: Vector) -> Vector { a.activated(.sqrt) }

/// 1 / a.
package func reciprocal(_ a: Vector) -> Vector { a.activated(.reciprocal) }

/// The larger of a and b; where they are equal a has the gradient.
package func maximum(_ a: Vector, _ b: Vector) -> Vector {
  precondition(a.size == b.size, "a is of \(a.size), b of \(b.size)")
  return a.builder.add(Maximum(a: a.node, b: b.node), size: a.size)
}

extension Vector {
  fileprivate func activated(_ kind: Activation.Kind) -> Vector {
    builder.add(Activation(kind: kind, operand: node), size: size)
  }
}

// MARK: - Over the features

/// The sum of the elements, of size 1.
package func sum(_ a: Vector) -> Vector {
  a.size == 1 ? a : a.builder.add(FeatureSum(operand: a.node), size: 1)
}

/// The inner product, of size 1.
package func dot(_ a: Vector, _ b: Vector) -> Vector {
  precondition(a.size == b.size, "a is of \(a.size), b of \(b.size)")
  return a.builder.add(InnerProduct(a: a.node, b: b.node), size: 1)
}

/// Softmax over the elements.
package func softmax(_ a: Vector) -> Vector {
  a.builder.add(Softmax(operand: a.node), size: a.size)
}

extension Vector {
  /// This vector of size 1 as `count` equal elements.
  package func broadcast(to count: Int) -> Vector {
    precondition(size == 1, "a vector of \(size) is not one number")
    return count == 1 ? self : builder.add(Broadcast(scalar: node), size: count)
  }

  /// a / sqrt(sum a^2 + epsilon): of Euclidean length 1.
  package func normalized(epsilon: Double = 1e-6) -> Vector {
    reciprocal(sqrt(dot(self, self) + epsilon)) * self
  }

  /// a / sqrt(mean a^2 + epsilon).
  package func rmsNormalized(epsilon: Double = 1e-5) -> Vector {
    let meanSquare = (1 / Double(size)) * dot(self, self)
    return reciprocal(sqrt(meanSquare + epsilon)) * self
  }

  /// (a - mean a) / sqrt(var a + epsilon): layer norm without gain and bias.
  package func standardized(epsilon: Double = 1e-5) -> Vector {
    (self + (-1 / Double(size)) * sum(self)).rmsNormalized(epsilon: epsilon)
  }
}

// MARK: - With the builder

extension StepBuilder {
  /// w a, element by element with a parameter `name`, at first 1 unless said.
  package func gain(_ name: String, _ x: Vector, _ initializer: Initializer = .constant(1))
    -> Vector
  {
    add(Gain(weight: parameter(name, [x.size], initializer), operand: x.node), size: x.size)
  }

  /// RMS norm with a gain `name_gain`, at first 1.
  package func rmsNorm(_ x: Vector, _ name: String, epsilon: Double = 1e-5) -> Vector {
    gain(name + "_gain", x.rmsNormalized(epsilon: epsilon))
  }

  /// The sum of w_j x(t - j) over the last `width` steps, each feature by itself.
  ///
  /// The weights are `name_0`, of the newest step, `name_1`, of the one before, and so on.
  package func shortConvolution(_ name: String, _ x: Vector, width: Int) -> Vector {
    let start = Initializer.uniform(1 / Double(width).squareRoot())
    let terms = (0..<width).map { gain("\(name)_\($0)", delayed(x, by: $0), start) }
    return terms.dropFirst().reduce(terms[0], +)
  }

  /// Numbers that are the same at every step.
  package func constant(_ values: [Double]) -> Vector {
    add(Constant(values: values), size: values.count)
  }

  /// `value` in each of `size` elements.
  package func constant(_ value: Double, _ size: Int) -> Vector {
    constant([Double](repeating: value, count: size))
  }

  /// 1 at the steps that are multiples of `period`, counted from the first of the sequence, else
  /// 0.
  package func clock(period: Int) -> Vector {
    precondition(period >= 1, "a period of \(period) steps")
    return add(Clock(period: period), size: 1)
  }

  /// `x`, whose gradient stops here: always, or, in training, with `probability` at each step of
  /// each sequence.
  package func detach(_ x: Vector, probability: Double = 1) -> Vector {
    probability == 0
      ? x : add(Detachment(operand: x.node, probability: probability), size: x.size)
  }
}
