import CKernels

/// Products with weights: by tile and step, for all tiles of a step, or over flat rows.
extension PlanBuilder {
  /// y (+)= W x, or y = W x + b; `isTransposed` for W^T.
  func emitProduct(
    _ weight: ParameterID, isTransposed: Bool, of x: Address, _ bias: Address,
    to y: (address: Address, adds: Bool)
  ) {
    let shape = graph.parameters[weight].shape
    let (m, k) = isTransposed ? (shape[1], shape[0]) : (shape[0], shape[1])
    let (row, column) = isTransposed ? (1, shape[1]) : (shape[1], 1)
    let adds = y.adds ? 1 : 0
    if isEmittingFlat {
      emit(
        \.flat_product,
        [y.address, x, parameter(weight), bias, roomForCall(flatProductRoom(m, k))],
        sizes: [m, k, row, column, adds], scope: .batch)
    } else if options.isEnabled(.pack) {
      emit(
        options.isNarrow ? \.linear_narrow : \.linear_packed,
        [y.address, x, packed(weight, isTransposed: isTransposed), bias], sizes: [m, k, adds],
        scope: isFlat ? .tiles : nil)
    } else {
      emit(
        \.linear, [y.address, x, parameter(weight), bias], sizes: [m, k, row, column, adds])
    }
  }

  /// The weights of a product in the order in which its kernel reads them; `isTransposed` for W^T,
  /// which only derivatives need.
  private func packed(_ weight: ParameterID, isTransposed: Bool) -> Address {
    let shape = graph.parameters[weight].shape
    let (m, k) = isTransposed ? (shape[1], shape[0]) : (shape[0], shape[1])
    let lanes = Int(MS_LANES)
    let rows = options.isNarrow ? (m + lanes - 1) / lanes * lanes : m
    let (panels, isNew) = cache("packed.\(weight).\(isTransposed)", elements: rows * k)
    guard isNew else { return panels }
    let kernel: Plan.Kernel = options.isNarrow ? \.pack_narrow : \.pack_weights
    let operands = [panels, parameter(weight)]
    if isTransposed {
      emitGradientStart(kernel, operands, sizes: [m, k, 1, m])
    } else {
      emitBatchStart(kernel, operands, sizes: [m, k, k, 1])
    }
    return panels
  }

  /// dW += dy x^T, for a `node` that multiplies x with W.
  func emitProductGradient(_ weight: ParameterID, _ dy: Address, _ x: Address, of node: NodeID) {
    let shape = graph.parameters[weight].shape
    let gradient = parameterGradient(weight)
    if isEmittingFlat {
      emit(
        \.flat_gradient,
        [gradient, dy, x, roomForCall(flatGradientRoom(shape[0], shape[1]))],
        sizes: [shape[0], shape[1]], scope: .batch)
    } else if isFlat && isDeferred(node) {
      emitFinish(
        \.flat_gradient,
        [
          gradient, flatCopy(dy, shape[0]), flatCopy(x, shape[1]),
          roomForCall(flatGradientRoom(shape[0], shape[1])),
        ], sizes: [shape[0], shape[1]], scope: .batch)
    } else {
      let panel = roomForCall(Int(MS_GRADIENT_STEPS) * Int(MS_LANES) * Int(MS_LANES))
      emitWeightGradient(
        node, \.linear_gradient, [gradient, dy, x, panel], sizes: [shape[0], shape[1]])
    }
  }

  /// db += dy.
  func emitBiasGradient(_ bias: ParameterID, _ dy: Address, _ size: Int, of node: NodeID) {
    let operands = [parameterGradient(bias), dy]
    if isEmittingFlat && options.shardRows > 0 {
      emit(\.shard_bias_gradient, operands, sizes: [size], scope: .batch)
    } else {
      emitWeightGradient(node, \.bias_gradient, operands, sizes: [size])
    }
  }
}
