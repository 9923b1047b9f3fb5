/// One sequence's matrix at one step: a carried matrix, or a sum of terms that one is to become.
package struct Matrix {
  /// What a term is multiplied with, element by element.
  enum Coefficient {
    case constant(Double)
    case parameter(ParameterID)
  }

  enum Term {
    /// A carried matrix.
    case carry(MemoryReference, Coefficient)
    /// u v^T.
    case outer(NodeID, NodeID, Coefficient)
  }

  unowned let builder: StepBuilder
  package let rows: Int
  package let columns: Int
  let terms: [Term]

  /// The carried matrix that this is, unless it is a sum yet to be carried.
  var reference: MemoryReference? {
    guard terms.count == 1, case .carry(let reference, .constant(1)) = terms[0] else { return nil }
    return reference
  }

  /// A s, for a carried or just updated matrix; sums are read after `next` has carried them.
  package func read(_ s: Vector) -> Vector {
    guard let reference else { preconditionFailure("a sum is read through next(_:_:)") }
    precondition(s.size == columns, "\(rows) x \(columns) times \(s.size)")
    return builder.add(MatrixRead(source: reference, vector: s.node, columns: columns), size: rows)
  }

  package static func + (a: Matrix, b: Matrix) -> Matrix {
    precondition(
      a.rows == b.rows && a.columns == b.columns,
      "a is \(a.rows) x \(a.columns), b \(b.rows) x \(b.columns)")
    return Matrix(
      builder: a.builder, rows: a.rows, columns: a.columns, terms: a.terms + b.terms)
  }

  package static func * (scale: Double, a: Matrix) -> Matrix {
    a.scaled { coefficient in
      guard case .constant(let c) = coefficient else {
        preconditionFailure("scale before multiplying with a parameter")
      }
      return .constant(c * scale)
    }
  }

  /// Element by element with a parameter of the same shape.
  package static func * (weight: MatrixParameter, a: Matrix) -> Matrix {
    a.scaled { coefficient in
      guard case .constant(1) = coefficient else {
        preconditionFailure("one coefficient a term")
      }
      return .parameter(weight.parameter)
    }
  }

  private func scaled(_ change: (Coefficient) -> Coefficient) -> Matrix {
    Matrix(
      builder: builder, rows: rows, columns: columns,
      terms: terms.map { term in
        switch term {
        case .carry(let reference, let c): .carry(reference, change(c))
        case .outer(let u, let v, let c): .outer(u, v, change(c))
        }
      })
  }
}

/// A matrix of parameters, to multiply a matrix with element by element.
package struct MatrixParameter {
  let parameter: ParameterID
}

/// u v^T.
package func outer(_ u: Vector, _ v: Vector) -> Matrix {
  Matrix(
    builder: u.builder, rows: u.size, columns: v.size, terms: [.outer(u.node, v.node, .constant(1))]
  )
}

extension StepBuilder {
  package func matrixParameter(
    _ name: String, _ rows: Int, _ columns: Int, _ initializer: Initializer
  ) -> MatrixParameter {
    MatrixParameter(parameter: parameter(name, [rows, columns], initializer))
  }
}
