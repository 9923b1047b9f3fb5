/// One sequence's vector at one step: a handle into the step that is being recorded.
package struct Vector {
  unowned let builder: StepBuilder
  let node: NodeID
  package let size: Int

  /// Features `range` of this vector; no copy is made.
  package subscript(range: Range<Int>) -> Vector {
    precondition(range.lowerBound >= 0 && range.upperBound <= size, "\(range) of \(size)")
    return builder.add(Slice(operand: node, offset: range.lowerBound), size: range.count)
  }

  /// This vector cut into `count` parts of equal size.
  package func split(_ count: Int) -> [Vector] {
    precondition(size % count == 0, "\(size) features in \(count) parts")
    let part = size / count
    return (0..<count).map { self[$0 * part..<($0 + 1) * part] }
  }

  /// Element by element; a vector of size 1 is added to every element of the other.
  package static func + (a: Vector, b: Vector) -> Vector {
    if a.size == 1 && b.size > 1 { return a.broadcast(to: b.size) + b }
    if b.size == 1 && a.size > 1 { return a + b.broadcast(to: a.size) }
    precondition(a.size == b.size, "a is of \(a.size), b of \(b.size)")
    return a.builder.add(Sum(terms: [.vector(a.node), .vector(b.node)]), size: a.size)
  }

  package static func - (a: Vector, b: Vector) -> Vector { a + (-1) * b }

  /// Element by element; a vector of size 1 multiplies every element of the other.
  package static func * (a: Vector, b: Vector) -> Vector {
    if a.size == 1 && b.size > 1 {
      return a.builder.add(ScalarProduct(scalar: a.node, vector: b.node), size: b.size)
    }
    if b.size == 1 && a.size > 1 { return b * a }
    precondition(a.size == b.size, "a is of \(a.size), b of \(b.size)")
    return a.builder.add(Product(a: a.node, b: b.node), size: a.size)
  }

  package static func * (scale: Double, a: Vector) -> Vector {
    a.builder.add(Affine(operand: a.node, scale: scale, shift: 0), size: a.size)
  }

  package static func + (a: Vector, number: Double) -> Vector {
    a.builder.add(Affine(operand: a.node, scale: 1, shift: number), size: a.size)
  }

  package static func - (number: Double, a: Vector) -> Vector {
    a.builder.add(Affine(operand: a.node, scale: -1, shift: number), size: a.size)
  }

  package static prefix func - (a: Vector) -> Vector { -1 * a }

  /// Element by element; a vector of size 1 divides every element of the other.
  package static func / (a: Vector, b: Vector) -> Vector { a * reciprocal(b) }
}

package func relu(_ a: Vector) -> Vector {
  a.builder.add(Activation(kind: .relu, operand: a.node), size: a.size)
}

package func tanh(_ a: Vector) -> Vector {
  a.builder.add(Activation(kind: .tanh, operand: a.node), size: a.size)
}

package func sigmoid(_ a: Vector) -> Vector {
  a.builder.add(Activation(kind: .sigmoid, operand: a.node), size: a.size)
}

/// The vectors one after the other.
package func concatenate(_ parts: [Vector]) -> Vector {
  parts[0].builder.add(
    Concatenation(operands: parts.map(\.node), sizes: parts.map(\.size)),
    size: parts.reduce(0) { $0 + $1.size })
}

extension StepBuilder {
  /// W x with a size x x.size parameter `name`; `.uniform(1/sqrt(x.size))` unless said.
  package func linear(
    _ name: String, _ x: Vector, _ size: Int, _ initializer: Initializer? = nil
  ) -> Vector {
    let bound = 1 / Double(x.size).squareRoot()
    let weight = parameter(name, [size, x.size], initializer ?? .uniform(bound))
    return add(Sum(terms: [.linear(weight, x.node)]), size: size)
  }

  /// A parameter vector, zero at first unless said.
  package func bias(_ name: String, _ size: Int, _ initializer: Initializer = .constant(0))
    -> Vector
  {
    add(Sum(terms: [.bias(parameter(name, [size], initializer))]), size: size)
  }

  /// Layer normalisation with gain `name_gain`, at first 1, and bias `name_bias`, at first 0
  /// unless said.
  package func layerNorm(_ x: Vector, _ name: String, bias start: Initializer = .constant(0))
    -> Vector
  {
    let gain = parameter(name + "_gain", [x.size], .constant(1))
    let bias = parameter(name + "_bias", [x.size], start)
    return add(LayerNorm(operand: x.node, gain: gain, bias: bias), size: x.size)
  }

  /// Each element zero with `probability` while training, the others scaled up to keep the mean; the same
  /// elements at all steps of a batch where they are `locked`.
  package func dropout(_ x: Vector, _ probability: Double, locked: Bool = false) -> Vector {
    guard probability > 0 else { return x }
    return add(Dropout(operand: x.node, probability: probability, isLocked: locked), size: x.size)
  }

  /// The input of the step as `size` numbers that the batch or the caller gives.
  package func input(_ source: InputSource, _ size: Int) -> Vector {
    add(Input(source: source), size: size)
  }

  /// Row `token` of the vocabulary x size parameter `name`.
  package func lookup(
    _ name: String, vocabulary: Int, _ size: Int, _ initializer: Initializer
  ) -> Vector {
    let table = parameter(name, [vocabulary, size], initializer)
    return add(Lookup(table: table), size: size)
  }
}
