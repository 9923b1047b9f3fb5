/// y = softmax a over the features:   da += y (dy - sum of dy y).
struct Softmax: Operation {
  let operand: NodeID
  var operands: [NodeID] { [operand] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Softmax(operand: replace(operand))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(\.softmax, [plan.value(node), plan.value(operand)], sizes: [plan.size(node)])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node), let share = plan.contribution(to: operand) else { return }
    plan.emit(
      \.softmax_backward, [share.address, dy, plan.value(node)],
      sizes: [plan.size(node), share.adds ? 1 : 0])
  }
}
