/// y = 1 at the steps that are multiples of `period`, else 0, for all sequences alike.
///
/// Steps count from the first of the sequence, also where a batch goes on with it.
struct Clock: Operation {
  let period: Int
  var operands: [NodeID] { [] }
  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation { self }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(\.clock, [plan.value(node)], sizes: [period])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {}
}

/// y = a:   da += dy, but nothing with `probability`, drawn for each sequence at each step.
struct Detachment: Operation {
  let operand: NodeID
  let probability: Double
  var operands: [NodeID] { [operand] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Detachment(operand: replace(operand), probability: probability)
  }

  private func kept(_ node: NodeID, _ plan: PlanBuilder) -> Address {
    plan.cache(node, "kept", 1)
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(\.copy, [plan.value(node), plan.value(operand)], sizes: [plan.size(node), 0])
    guard probability < 1 else { return }
    plan.emit(\.keep, [kept(node, plan)], sizes: [node], scalars: [probability])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard probability < 1, let dy = plan.gradient(node),
      let share = plan.contribution(to: operand)
    else { return }
    plan.emit(
      \.scalar_multiply, [share.address, dy, kept(node, plan)],
      sizes: [plan.size(node), share.adds ? 1 : 0])
  }
}
