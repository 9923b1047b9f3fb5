/// y = sum of a over the features, one number of each sequence:   da += dy in every feature.
struct FeatureSum: Operation {
  let operand: NodeID
  var operands: [NodeID] { [operand] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    FeatureSum(operand: replace(operand))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.feature_sum, [plan.value(node), plan.value(operand)], sizes: [plan.size(operand), 0])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node), let share = plan.contribution(to: operand) else { return }
    plan.emit(
      \.broadcast, [share.address, dy], sizes: [plan.size(operand), share.adds ? 1 : 0])
  }
}

/// y = one number of each sequence in every feature:   ds += sum of dy.
struct Broadcast: Operation {
  let scalar: NodeID
  var operands: [NodeID] { [scalar] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Broadcast(scalar: replace(scalar))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(\.broadcast, [plan.value(node), plan.value(scalar)], sizes: [plan.size(node), 0])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node), let share = plan.contribution(to: scalar) else { return }
    plan.emit(
      \.feature_sum, [share.address, dy], sizes: [plan.size(node), share.adds ? 1 : 0])
  }
}

/// y = sum of a b over the features:   da += dy b,   db += dy a.
struct InnerProduct: Operation {
  let a: NodeID
  let b: NodeID
  var operands: [NodeID] { [a, b] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    InnerProduct(a: replace(a), b: replace(b))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.inner_product, [plan.value(node), plan.value(a), plan.value(b)],
      sizes: [plan.size(a), 0])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    for (factor, other) in [(a, b), (b, a)] {
      guard let share = plan.contribution(to: factor) else { continue }
      plan.emit(
        \.scalar_multiply, [share.address, plan.value(other), dy],
        sizes: [plan.size(a), share.adds ? 1 : 0])
    }
  }
}
