/// S x = b with S = (A + A^T) / 2 + diag d of a carried matrix A, by S = L D L^T.
///
/// With S z = dx the derivative is db += z,   dA -= (z x^T + x z^T) / 2,   dd -= z x. The factors
/// are kept for it.
struct SymmetricSolve: Operation {
  let source: MemoryReference
  let diagonal: NodeID
  let vector: NodeID
  var operands: [NodeID] { [diagonal, vector] }
  var memory: MemoryReference? { source }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    SymmetricSolve(source: source, diagonal: replace(diagonal), vector: replace(vector))
  }

  /// L below its diagonal, row by row, and 1 / D.
  private func factors(_ node: NodeID, _ plan: PlanBuilder) -> Address {
    let n = plan.size(node)
    return plan.cache(node, "factors", n * (n + 1) / 2)
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    let n = plan.size(node)
    plan.emit(
      \.symmetric_solve,
      [
        plan.value(node), plan.layout.matrix(source), plan.value(diagonal), plan.value(vector),
        factors(node, plan), plan.scratch(4 * n),
      ], sizes: [n])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.finishPendingCarry(of: source)
    guard let dx = plan.gradient(node) else { return }
    let n = plan.size(node)
    let x = plan.value(node)
    let z = plan.scratch(n)
    plan.emit(
      \.symmetric_solve_backward,
      [plan.layout.matrixGradient(source.state), dx, x, factors(node, plan), z], sizes: [n])
    if let share = plan.contribution(to: vector) {
      plan.emit(\.copy, [share.address, z], sizes: [n, share.adds ? 1 : 0])
    }
    if let share = plan.contribution(to: diagonal) {
      plan.emit(\.scale, [z, z], sizes: [n, 0], scalars: [-1])
      plan.emit(\.multiply, [share.address, z, x], sizes: [n, share.adds ? 1 : 0])
    }
  }
}

extension Matrix {
  /// ((A + A^T) / 2 + diag `diagonal`)^-1 b, for a carried or just updated square matrix.
  package func solve(_ b: Vector, diagonal: Vector) -> Vector {
    precondition(
      rows == columns && b.size == rows && diagonal.size == rows,
      "\(rows) x \(columns) with a diagonal of \(diagonal.size) and \(b.size) on the right")
    guard let reference else { preconditionFailure("a sum is solved through next(_:_:)") }
    return builder.add(
      SymmetricSolve(source: reference, diagonal: diagonal.node, vector: b.node), size: rows)
  }
}
