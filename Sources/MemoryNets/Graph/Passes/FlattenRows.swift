extension StepGraph {
  /// Makes segments without recurrence flat: all rows of the batch, a row being a sequence at a
  /// step, lie one after the other and fill their vectors.
  ///
  /// A batch of 20 fills 20 of 32 lanes of two tiles; its flat rows fill all. And a weight that does
  /// not stay in cache comes from memory once for many rows instead of once a step and tile. A
  /// `Flatten` stands where a flat segment needs values of a tile, an `Unflatten` where a loop needs
  /// flat ones. Gives whether there is anything flat.
  mutating func flattenRows(_ segments: inout [GraphSegment]) -> Bool {
    var isFlat = [Bool](repeating: false, count: nodes.count)
    for (s, segment) in segments.enumerated() where segment.nodes.allSatisfy(mayBeFlat) {
      guard !segment.isLoop, !segment.isLastStepOnly else { continue }
      segments[s].isFlat = true
      for node in segment.nodes { isFlat[node] = true }
    }
    guard segments.contains(where: \.isFlat) else { return false }

    var flattened: [NodeID: NodeID] = [:]
    var result: [GraphSegment] = []
    for var segment in segments {
      var moved: [NodeID: NodeID] = [:]
      for node in segment.nodes {
        for operand in nodes[node].operation.operands
        where isFlat[operand] != segment.isFlat && moved[operand] == nil
          && !(nodes[operand].operation is Constant)
        {
          let known = segment.isFlat ? flattened[operand] : nil
          let copy = known ?? appendCopy(of: operand, isFlat: segment.isFlat, for: node)
          moved[operand] = copy
          guard known == nil else { continue }
          isFlat.append(segment.isFlat)
          if segment.isFlat {
            flattened[operand] = copy
            result.append(GraphSegment(nodes: [copy], isLastStepOnly: false, isLoop: false))
          }
        }
        nodes[node].operation = nodes[node].operation.replacingOperands { moved[$0] ?? $0 }
      }
      if !segment.isFlat { segment.nodes = moved.values.sorted() + segment.nodes }
      result.append(segment)
    }
    segments = result
    return true
  }

  /// Makes the last sum one with its loss where it is one product over flat rows.
  mutating func fuseSoftmax(_ segments: [GraphSegment]) {
    guard let output, let sum = nodes[output].operation as? Sum,
      segments.contains(where: { $0.isFlat && $0.nodes.contains(output) }),
      !nodes.contains(where: { $0.operation.operands.contains(output) })
    else { return }
    var bias: ParameterID?
    var product: (weight: ParameterID, operand: NodeID)?
    for term in sum.terms {
      switch term {
      case .linear(let weight, let operand) where product == nil: product = (weight, operand)
      case .bias(let id) where bias == nil: bias = id
      default: return
      }
    }
    guard let product else { return }
    nodes[output].operation = SoftmaxReadout(
      weight: product.weight, bias: bias, operand: product.operand)
  }

  private mutating func appendCopy(of operand: NodeID, isFlat: Bool, for user: NodeID) -> NodeID {
    let operation: any Operation = isFlat ? Flatten(operand: operand) : Unflatten(operand: operand)
    nodes.append(
      Node(
        operation: operation, size: nodes[operand].size,
        isReadout: nodes[isFlat ? operand : user].isReadout))
    return nodes.count - 1
  }

  private func mayBeFlat(_ node: NodeID) -> Bool {
    if node == observed { return false }
    switch nodes[node].operation {
    case let input as Input where input.source == .caller: return false
    case is Sum, is Lookup, is FoldedLookup, is Input, is Product, is Affine, is Activation,
      is Concatenation, is ScalarProduct, is Dropout, is LayerNorm, is Slice, is Maximum, is Gain,
      is FeatureSum, is Broadcast, is InnerProduct, is Softmax, is Constant, is Clock,
      is Detachment, is Kronecker, is DrawnRow:
      return !vectorStates.contains { $0.next == node }
    default: return false
    }
  }

  /// Numbers in the weights of products that do not recur and answer at every step.
  func flatWeights(_ segments: [GraphSegment]) -> Int {
    var weights: Set<ParameterID> = []
    for segment in segments where !segment.isLoop && !segment.isLastStepOnly {
      for node in segment.nodes {
        guard let sum = nodes[node].operation as? Sum else { continue }
        for case .linear(let weight, _) in sum.terms { weights.insert(weight) }
      }
    }
    return weights.reduce(0) { $0 + parameters[$1].shape.reduce(1, *) }
  }
}
