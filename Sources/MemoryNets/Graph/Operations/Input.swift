import CKernels

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
    let size = plan.size(node)
    let gradient = plan.lookupGradient(table)
    guard plan.isEmittingFlat && plan.options.shardRows > 0 else {
      return plan.emit(\.lookup_gradient, [gradient, dy], sizes: [size])
    }
    let lanes = Int(MS_LANES)
    let room = plan.flatRows * ((size + lanes - 1) / lanes * lanes + 1)
    plan.emit(
      \.shard_lookup_gradient,
      [gradient, dy, plan.roomForCall(room + plan.graph.parameters[table].shape[0])],
      sizes: [size, plan.flatRows], scope: .batch)
  }
}
