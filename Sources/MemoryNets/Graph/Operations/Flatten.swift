/// The rows of a batch, one after the other, of a value that tiles have step by step; the gradient
/// goes back to the tiles.
struct Flatten: Operation {
  let operand: NodeID
  var operands: [NodeID] { [operand] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Flatten(operand: replace(operand))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.flatten, [plan.value(node), plan.value(operand)], sizes: [plan.size(node), 0, 0])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node), let share = plan.contribution(to: operand) else { return }
    plan.emit(\.unflatten, [share.address, dy], sizes: [plan.size(node), share.adds ? 1 : 0])
  }
}

/// The inverse: a tile's value at each step, of flat rows.
struct Unflatten: Operation {
  let operand: NodeID
  var operands: [NodeID] { [operand] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Unflatten(operand: replace(operand))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(\.unflatten, [plan.value(node), plan.value(operand)], sizes: [plan.size(node), 0])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node), let share = plan.contribution(to: operand) else { return }
    plan.emit(\.flatten, [share.address, dy], sizes: [plan.size(node), share.adds ? 1 : 0, 0])
  }
}
