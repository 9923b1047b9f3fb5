import CKernels

/// Weights: where they and their gradients stand, and what is computed of them once a batch.
extension PlanBuilder {
  func parameter(_ id: ParameterID) -> Address {
    let weight = graph.parameters[id]
    switch weight.origin {
    case .trained:
      return Address(space: .values, offset: parameterOffsets[id], stride: 0)
    case .fixed(let values):
      let (address, isNew) = cache("weight.\(id)", elements: values.count)
      if isNew { addFixedWeight(address, values) }
      return address
    case .derived(let function, let source):
      let (address, isNew) = cache("weight.\(id)", elements: weight.shape.reduce(1, *))
      if isNew { function.forward(address, of: parameter(source), self) }
      return address
    }
  }

  func parameterGradient(_ id: ParameterID) -> Address {
    let weight = graph.parameters[id]
    switch weight.origin {
    case .trained:
      return Address(space: .gradients, offset: parameterOffsets[id], stride: 0)
    case .fixed:
      return .none
    case .derived:
      let count = weight.shape.reduce(1, *)
      let (address, isNew) = cache("weightGradient.\(id)", elements: count)
      if isNew {
        emitGradientStart(
          \.fill, [address], sizes: [(count + Int(MS_LANES) - 1) / Int(MS_LANES)])
        derivedGradients.append(id)
      }
      return address
    }
  }

  /// Whether anything that is trained depends on a weight.
  func hasGradient(_ id: ParameterID) -> Bool {
    switch graph.parameters[id].origin {
    case .trained: true
    case .fixed: false
    case .derived(_, let source): hasGradient(source)
    }
  }

  /// Emits, after the last tile, what penalties give to gradients, and what the gradients of derived
  /// weights give to those of what they derive from.
  func emitWeightGradients() {
    for penalty in graph.penalties { penalty.emit(self) }
    var i = 0
    while i < derivedGradients.count {
      let id = derivedGradients[i]
      if case .derived(let function, let source) = graph.parameters[id].origin {
        function.backward(
          parameterGradient(id), of: parameter(source), to: parameterGradient(source), self)
      }
      i += 1
    }
  }
}
