/// y = w a, element by element with a parameter w:   da += w dy,   dw += dy a.
struct Gain: Operation {
  let weight: ParameterID
  let operand: NodeID
  var operands: [NodeID] { [operand] }
  var hasParameters: Bool { true }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Gain(weight: weight, operand: replace(operand))
  }

  func keepsGradient(_ plan: PlanBuilder) -> Bool { plan.options.isEnabled(.defer) }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.gain, [plan.value(node), plan.value(operand), plan.parameter(weight)],
      sizes: [plan.size(node), 0])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    if let share = plan.contribution(to: operand) {
      plan.emit(
        \.gain, [share.address, dy, plan.parameter(weight)],
        sizes: [plan.size(node), share.adds ? 1 : 0])
    }
    plan.emitWeightGradient(
      node, \.gain_gradient, [plan.parameterGradient(weight), dy, plan.value(operand)],
      sizes: [plan.size(node)])
  }
}
