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
    case .derived(let function, let source):
      if !derivedGradients.contains(id) { derivedGradients.append(id) }
      return function.isInPlace
        ? parameterGradient(source)
        : gradientRoom("weight.\(id)", elements: weight.shape.reduce(1, *))
    }
  }

  /// The gradient of a table that is looked up in.
  ///
  /// Where sums are by shard and the table is also multiplied with, its lookups are summed apart from
  /// the products, in a room of their own: (a + b) + (c + d) and (a + c) + (b + d) differ.
  func lookupGradient(_ table: ParameterID) -> Address {
    guard options.shardRows > 0, isEmittingFlat, !graph.lookupTables.contains(table) else {
      return parameterGradient(table)
    }
    let own = parameterGradient(table)
    let parameter = graph.parameters[table]
    let room = gradientRoom("lookups.\(table)", elements: parameter.shape.reduce(1, *))
    plan.lookupRooms.append(
      Plan.LookupRoom(table: parameter.name, room: room.offset, gradient: own.offset))
    return room
  }

  /// Room for a gradient of `elements` numbers after those of the parameters, by name.
  ///
  /// Like these it is zero before a batch, and summed over tiles, shards and ranks before the calls of
  /// `emitGradientEnd`.
  func gradientRoom(_ name: String, elements: Int) -> Address {
    if let known = gradientRooms[name] { return known }
    let lanes = Int(MS_LANES)
    let offset = (plan.gradientCount + lanes - 1) / lanes * lanes
    let room = Address(space: .gradients, offset: offset, stride: 0)
    gradientRooms[name] = room
    plan.gradientCount = offset + (elements + lanes - 1) / lanes * lanes
    return room
  }

  /// Whether anything that is trained depends on a weight.
  func hasGradient(_ id: ParameterID) -> Bool {
    switch graph.parameters[id].origin {
    case .trained: true
    case .fixed: false
    case .derived(_, let source): hasGradient(source)
    }
  }

  /// Emits, for when gradients have been summed, what penalties give to gradients, and what the gradients of derived
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
