/// y = u (x) v, the products of all pairs, y(i m + j) = u(i) v(j):   du += Y v,   dv += Y^T u,
/// where Y is dy as an n x m matrix.
///
/// With it a matrix of n m rows is a tensor of rank three that is written and read by two vectors
/// on its long side.
struct Kronecker: Operation {
  let u: NodeID
  let v: NodeID
  var operands: [NodeID] { [u, v] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Kronecker(u: replace(u), v: replace(v))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.kronecker, [plan.value(node), plan.value(u), plan.value(v)],
      sizes: [plan.size(u), plan.size(v)])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    for (factor, other, kernel) in [
      (u, v, \.matrix_read), (v, u, \.matrix_read_transposed),
    ] as [(NodeID, NodeID, Plan.Kernel)] {
      guard let share = plan.contribution(to: factor) else { continue }
      plan.emit(
        kernel, [share.address, dy, plan.value(other)],
        sizes: [plan.size(u), plan.size(v), share.adds ? 1 : 0])
    }
  }
}

/// The Kronecker product: element i * v.size + j is u(i) v(j).
package func kronecker(_ u: Vector, _ v: Vector) -> Vector {
  u.builder.add(Kronecker(u: u.node, v: v.node), size: u.size * v.size)
}
