/// y = gain xhat + bias, xhat = (a - mean a) / sqrt(var a + 1e-5), over the features of one
/// sequence at one step; the derivative is with the kernel.
struct LayerNorm: Operation {
  let operand: NodeID
  let gain: ParameterID
  let bias: ParameterID
  var operands: [NodeID] { [operand] }
  var hasParameters: Bool { true }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    LayerNorm(operand: replace(operand), gain: gain, bias: bias)
  }

  private func caches(_ node: NodeID, _ plan: PlanBuilder) -> (xhat: Address, rstd: Address) {
    // xhat takes the place of the operand where nothing else needs that.
    let isInPlace = plan.layout.isNormalisedInPlace(operand, by: node)
    let xhat = isInPlace ? plan.value(operand) : plan.cache(node, "xhat", plan.size(node))
    return (xhat, plan.cache(node, "rstd", 1))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    let caches = caches(node, plan)
    plan.emit(
      \.layer_norm,
      [
        plan.value(node), plan.value(operand), plan.parameter(gain), plan.parameter(bias),
        caches.xhat, caches.rstd,
      ], sizes: [plan.size(node)])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    let caches = caches(node, plan)
    let share =
      plan.contribution(to: operand) ?? (address: plan.scratch(plan.size(node)), adds: false)
    plan.emit(
      \.layer_norm_backward,
      [
        share.address, dy, plan.parameter(gain), caches.xhat, caches.rstd,
        plan.parameterGradient(gain), plan.parameterGradient(bias),
      ], sizes: [plan.size(node), share.adds ? 1 : 0])
  }
}
