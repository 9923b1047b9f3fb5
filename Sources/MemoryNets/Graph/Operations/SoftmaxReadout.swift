import CKernels

/// y = W x + b with its softmax cross-entropy, over flat rows; equations and derivative are with the
/// kernel.
///
/// Stands for the last sum of a model whose loss it is. The gradient of y exists only a group of
/// classes at a time.
struct SoftmaxReadout: Operation {
  let weight: ParameterID
  let bias: ParameterID?
  let operand: NodeID
  var operands: [NodeID] { [operand] }
  var hasParameters: Bool { true }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    SoftmaxReadout(weight: weight, bias: bias, operand: replace(operand))
  }

  private func statistics(_ node: NodeID, _ plan: PlanBuilder) -> Address {
    let part = Int(MS_READOUT_PART)
    let segments = plan.options.shardRows > 0 ? Int(MS_READOUT_SEGMENTS) : 1
    return plan.cache(
      node, "statistics",
      Int(MS_READOUT_STATISTICS) * (1 + segments) + (plan.size(node) + part - 1) / part)
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    let (n, k) = (plan.size(node), plan.size(operand))
    plan.emit(
      \.softmax_readout,
      [
        plan.value(node), plan.value(operand), plan.parameter(weight),
        bias.map(plan.parameter) ?? .none, statistics(node, plan),
        plan.roomForCall(plan.softmaxReadoutRoom(n, k)),
      ], sizes: [n, k], scope: .batch)
  }

  /// The loss of the outputs.
  func loss(_ node: NodeID, _ plan: PlanBuilder) -> Plan.Call {
    Plan.Call(
      kernel: \.softmax_readout_loss, operands: [statistics(node, plan)], scope: .flat)
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    let (n, k) = (plan.size(node), plan.size(operand))
    let share = plan.contribution(to: operand)
    func elements(_ id: ParameterID, _ count: Int) -> Range<Int> {
      let first = plan.parameterGradient(id).offset
      return first..<first + count
    }
    plan.plan.readout = Plan.Readout(
      classes: n, inputs: k,
      gradients: [elements(weight, n * k)] + (bias.map { [elements($0, n)] } ?? []))
    plan.emit(
      \.softmax_readout_backward,
      [
        share?.address ?? .none, plan.value(operand), plan.value(node), statistics(node, plan),
        plan.parameter(weight), plan.parameterGradient(weight),
        bias.map(plan.parameterGradient) ?? .none,
        plan.roomForCall(plan.softmaxReadoutGradientRoom(n, k)),
      ], sizes: [n, k, share?.adds == true ? 1 : 0], scope: .batch)
  }
}
