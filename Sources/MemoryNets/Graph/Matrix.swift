/// One sequence's matrix at one step: a carried matrix, or a sum of terms that one is to become.
package struct Matrix {
  /// What a term is multiplied with: element (i, j) with constant learned(i, j) row(i) column(j),
  /// as far as given.
  struct Coefficient {
    var constant = 1.0
    /// A parameter of the matrix's shape.
    var learned: ParameterID?
    /// A gate of the sequence: one for every row, or one for all.
    var row: Vector?
    /// A gate of the sequence, one for every column.
    var column: Vector?
    /// Whether the gate is tanh(row(i) column(j)) instead of row(i) column(j).
    var isSquashed = false

    var isConstant: Bool { learned == nil && row == nil && column == nil }

    func requireFactors() {
      precondition(!isSquashed, "nothing but constants beside a gate of every element")
    }
  }

  enum Term {
    /// A carried matrix.
    case carry(MemoryReference, Coefficient)
    /// u v^T; its gates are in u and v.
    case outer(Vector, Vector, Coefficient)
  }

  unowned let builder: StepBuilder
  package let rows: Int
  package let columns: Int
  let terms: [Term]

  /// The carried matrix that this is, unless it is a sum yet to be carried.
  var reference: MemoryReference? {
    guard terms.count == 1, case .carry(let reference, let c) = terms[0], c.isConstant,
      c.constant == 1
    else { return nil }
    return reference
  }

  // MARK: - Reads

  /// A s, for a carried or just updated matrix; sums are read after `next` has carried them.
  package func read(_ s: Vector) -> Vector {
    precondition(s.size == columns, "\(rows) x \(columns) times \(s.size)")
    return read(s, isTransposed: false)
  }

  /// A^T s, for a carried or just updated matrix.
  package func readTransposed(_ s: Vector) -> Vector {
    precondition(s.size == rows, "\(columns) x \(rows) times \(s.size)")
    return read(s, isTransposed: true)
  }

  private func read(_ s: Vector, isTransposed: Bool) -> Vector {
    guard let reference else { preconditionFailure("a sum is read through next(_:_:)") }
    return builder.add(
      MatrixRead(
        source: reference, vector: s.node, rows: rows, columns: columns,
        isTransposed: isTransposed),
      size: isTransposed ? columns : rows)
  }

  // MARK: - Terms

  package static func + (a: Matrix, b: Matrix) -> Matrix {
    precondition(
      a.rows == b.rows && a.columns == b.columns,
      "a is \(a.rows) x \(a.columns), b \(b.rows) x \(b.columns)")
    return Matrix(
      builder: a.builder, rows: a.rows, columns: a.columns, terms: a.terms + b.terms)
  }

  package static func - (a: Matrix, b: Matrix) -> Matrix { a + (-1) * b }

  package static func * (scale: Double, a: Matrix) -> Matrix {
    a.mapped(
      carry: { $0.constant *= scale },
      outer: { _, _, c in c.constant *= scale })
  }

  /// Element by element with a parameter of the same shape.
  package static func * (weight: MatrixParameter, a: Matrix) -> Matrix {
    let learn = { (c: inout Coefficient) in
      precondition(c.learned == nil, "one parameter a term")
      c.requireFactors()
      c.learned = weight.parameter
    }
    return a.mapped(carry: learn, outer: { _, _, c in learn(&c) })
  }

  /// Element by element with a gate of the sequence; only for a carried matrix.
  package static func * (gate: ElementGate, a: Matrix) -> Matrix {
    precondition(
      gate.row.size == a.rows && gate.column.size == a.columns,
      "a gate of \(gate.row.size) x \(gate.column.size) for \(a.rows) x \(a.columns)")
    return a.mapped(
      carry: { c in
        precondition(c.learned == nil && c.row == nil && c.column == nil, "one gate a term")
        c.row = gate.row
        c.column = gate.column
        c.isSquashed = true
      },
      outer: { _, _, _ in preconditionFailure("no element gates of outer products") })
  }

  /// With a number of the sequence, a vector of size 1.
  package static func * (gate: Vector, a: Matrix) -> Matrix {
    precondition(gate.size == 1, "a gate of \(gate.size) is for rows or columns")
    return a.mapped(
      carry: {
        $0.requireFactors()
        $0.row = $0.row.map { gate * $0 } ?? gate
      },
      outer: { u, _, _ in u = gate * u })
  }

  /// Row i with element i of a vector of the sequence.
  package func scalingRows(by gate: Vector) -> Matrix {
    precondition(gate.size == rows, "\(gate.size) gates for \(rows) rows")
    return mapped(
      carry: {
        $0.requireFactors()
        $0.row = $0.row.map { $0 * gate } ?? gate
      },
      outer: { u, _, _ in u = gate * u })
  }

  /// Column j with element j of a vector of the sequence.
  package func scalingColumns(by gate: Vector) -> Matrix {
    precondition(gate.size == columns, "\(gate.size) gates for \(columns) columns")
    return mapped(
      carry: {
        $0.requireFactors()
        $0.column = $0.column.map { gate * $0 } ?? gate
      },
      outer: { _, v, _ in v = gate * v })
  }

  private func mapped(
    carry: (inout Coefficient) -> Void,
    outer: (inout Vector, inout Vector, inout Coefficient) -> Void
  ) -> Matrix {
    let mapped = terms.map { term -> Term in
      switch term {
      case .carry(let reference, var c):
        carry(&c)
        return .carry(reference, c)
      case .outer(var u, var v, var c):
        outer(&u, &v, &c)
        return .outer(u, v, c)
      }
    }
    return Matrix(builder: builder, rows: rows, columns: columns, terms: mapped)
  }
}

/// A gate of the sequence for every element of a matrix, tanh(row(i) column(j)).
package struct ElementGate {
  let row: Vector
  let column: Vector
}

/// tanh(u v^T), element by element, to multiply a carried matrix with.
package func tanh(_ product: Matrix) -> ElementGate {
  guard product.terms.count == 1, case .outer(let u, let v, let c) = product.terms[0],
    c.isConstant, c.constant == 1
  else { preconditionFailure("tanh is of one outer product") }
  return ElementGate(row: u, column: v)
}

/// A matrix of parameters, to multiply a matrix with element by element.
package struct MatrixParameter {
  let parameter: ParameterID
}

/// u v^T.
package func outer(_ u: Vector, _ v: Vector) -> Matrix {
  Matrix(
    builder: u.builder, rows: u.size, columns: v.size, terms: [.outer(u, v, .init())])
}

extension StepBuilder {
  package func matrixParameter(
    _ name: String, _ rows: Int, _ columns: Int, _ initializer: Initializer
  ) -> MatrixParameter {
    MatrixParameter(parameter: parameter(name, [rows, columns], initializer))
  }
}
