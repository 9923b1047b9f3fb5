/// y = sign(a) relu(|a| + b), element by element, 0 where a is.
///
///     da += dy [|a| + b > 0],   db += dy sign(a) [|a| + b > 0]
///
/// Arjovsky, Shah and Bengio 2016, arXiv:1511.06464, for real numbers.
struct ModReLU: Operation {
  let operand: NodeID
  let bias: NodeID
  var operands: [NodeID] { [operand, bias] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    ModReLU(operand: replace(operand), bias: replace(bias))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.mod_relu, [plan.value(node), plan.value(operand), plan.value(bias)],
      sizes: [plan.size(node)])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    for (factor, isBias) in [(operand, 0), (bias, 1)] {
      guard let share = plan.contribution(to: factor) else { continue }
      plan.emit(
        \.mod_relu_backward, [share.address, dy, plan.value(operand), plan.value(bias)],
        sizes: [plan.size(node), share.adds ? 1 : 0, isBias])
    }
  }
}

/// sign(a) relu(|a| + b), element by element.
package func modReLU(_ a: Vector, _ b: Vector) -> Vector {
  precondition(a.size == b.size, "a is of \(a.size), b of \(b.size)")
  return a.builder.add(ModReLU(operand: a.node, bias: b.node), size: a.size)
}
