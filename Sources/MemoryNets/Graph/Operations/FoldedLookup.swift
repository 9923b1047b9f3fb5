import CKernels

/// A lookup in a table over the vocabulary that is made once a batch, y = T[token], T = E W^T + b.
///
///     dT[token] += dy,   and once a batch   dE += dT W,   dW += dT^T E,   db += sum of dT's rows
///
/// Without an embedding the tokens are one-hot and E is the identity.
struct FoldedLookup: Operation {
  let weight: ParameterID
  let embedding: ParameterID?
  let bias: ParameterID?
  let vocabulary: Int
  private var lanes: Int { Int(MS_LANES) }
  var operands: [NodeID] { [] }
  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation { self }
  var hasParameters: Bool { true }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    let size = plan.size(node)
    let table = plan.cache("table.\(node)", elements: vocabulary * size).address
    let bias = bias.map(plan.parameter) ?? .none
    if let embedding {
      let features = plan.graph.parameters[embedding].shape[1]
      plan.emitBatchStart(
        \.matrix_product,
        [
          table, plan.parameter(embedding), plan.parameter(weight), bias,
          plan.roomForCall(features * lanes),
        ],
        sizes: [vocabulary, size, features, 0, 1, 0])
    } else {
      plan.emitBatchStart(
        \.matrix_transpose, [table, plan.parameter(weight), bias], sizes: [size, vocabulary, 0])
    }
    plan.emit(\.lookup, [plan.value(node), table], sizes: [size])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    let size = plan.size(node)
    let gradient = plan.gradientRoom("table.\(node)", elements: vocabulary * size)
    plan.emit(\.lookup_gradient, [gradient, dy], sizes: [size])
    if let embedding {
      let features = plan.graph.parameters[embedding].shape[1]
      plan.emitGradientEnd(
        \.matrix_product,
        [
          plan.parameterGradient(embedding), gradient, plan.parameter(weight), .none,
          plan.roomForCall(size * lanes),
        ], sizes: [vocabulary, features, size, 0, 0, 1])
      plan.emitGradientEnd(
        \.matrix_product,
        [
          plan.parameterGradient(weight), gradient, plan.parameter(embedding), .none,
          plan.roomForCall(vocabulary * lanes),
        ], sizes: [size, features, vocabulary, 1, 0, 1])
    } else {
      plan.emitGradientEnd(
        \.matrix_transpose, [plan.parameterGradient(weight), gradient, .none],
        sizes: [vocabulary, size, 1])
    }
    if let bias {
      plan.emitGradientEnd(
        \.sum_of_rows, [plan.parameterGradient(bias), gradient], sizes: [vocabulary, size])
    }
  }
}
