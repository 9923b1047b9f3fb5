/// y = s a with one number s of each sequence:   ds += sum of dy a,   da += s dy.
struct ScalarProduct: Operation {
  let scalar: NodeID
  let vector: NodeID
  var operands: [NodeID] { [scalar, vector] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    ScalarProduct(scalar: replace(scalar), vector: replace(vector))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.scalar_multiply, [plan.value(node), plan.value(vector), plan.value(scalar)],
      sizes: [plan.size(node), 0])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    if let share = plan.contribution(to: vector) {
      plan.emit(
        \.scalar_multiply, [share.address, dy, plan.value(scalar)],
        sizes: [plan.size(node), share.adds ? 1 : 0])
    }
    if let share = plan.contribution(to: scalar) {
      plan.emit(
        \.inner_product, [share.address, dy, plan.value(vector)],
        sizes: [plan.size(node), share.adds ? 1 : 0])
    }
  }
}
