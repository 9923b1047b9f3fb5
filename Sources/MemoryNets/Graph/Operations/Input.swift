/// Where the input vectors come from.
package enum InputSource {
  /// The batch's `features`.
  case features
  /// The batch's `tokens`, one-hot.
  case oneHot
  /// Written into the arena by the caller.
  case caller
}

/// The input vector of the step.
struct Input: Operation {
  let source: InputSource
  var operands: [NodeID] { [] }
  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation { self }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    switch source {
    case .features: plan.emit(\.load_features, [plan.value(node)], sizes: [plan.size(node)])
    case .oneHot: plan.emit(\.load_one_hot, [plan.value(node)], sizes: [plan.size(node)])
    case .caller: break
    }
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {}
}

/// y = E[token], dE[token] += dy: the embedding of the step's token.
struct Lookup: Operation {
  let table: ParameterID
  var operands: [NodeID] { [] }
  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation { self }
  var hasParameters: Bool { true }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(\.lookup, [plan.value(node), plan.parameter(table)], sizes: [plan.size(node)])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    plan.emit(\.lookup_gradient, [plan.parameterGradient(table), dy], sizes: [plan.size(node)])
  }
}
