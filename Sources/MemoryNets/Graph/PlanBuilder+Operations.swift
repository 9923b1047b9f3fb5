import CKernels

/// What operations need while they emit their calls.
extension PlanBuilder {
  /// Where the value of `node` stands.
  func value(_ node: NodeID) -> Address { layout.value(node) }

  func size(_ node: NodeID) -> Int { graph.nodes[node].size }

  /// `size` features at every step, kept from the forward pass of `node` for its derivative.
  func cache(_ node: NodeID, _ name: String, _ size: Int) -> Address {
    let key = "\(node).\(name)"
    if let known = caches[key] { return known }
    let address = layout.allocate(size, for: node)
    caches[key] = address
    return address
  }

  /// `size` features that are overwritten at every step.
  func scratch(_ size: Int) -> Address { layout.allocate(size, slots: 1) }

  /// Room for `elements` numbers that last over all tiles, by name: always the same for one name.
  func cache(_ name: String, elements: Int) -> (address: Address, isNew: Bool) {
    if let known = caches[name] { return (known, false) }
    let address = layout.allocateShared((elements + Int(MS_LANES) - 1) / Int(MS_LANES), slots: 1)
    caches[name] = address
    return (address, true)
  }

  /// Room for `elements` numbers that a call uses while it runs.
  func roomForCall(_ elements: Int) -> Address {
    plan.scratchCount = max(plan.scratchCount, elements + Int(MS_LANES))
    return Address(space: .scratch, offset: 0, stride: 0)
  }

  /// Puts numbers that never change where they stand.
  func addFixedWeight(_ address: Address, _ values: [Double]) {
    plan.fixedWeights.append((address, values))
  }

  /// Adds a call that is made once a batch, before the first tile.
  func emitBatchStart(
    _ kernel: Plan.Kernel, _ operands: [Address], sizes: [Int], scalars: [Double] = []
  ) {
    plan.batchStart.append(
      .init(kernel: kernel, operands: operands, sizes: sizes, scalars: scalars))
  }

  /// Adds a call that is made once a batch that is trained on, before the first tile.
  func emitGradientStart(_ kernel: Plan.Kernel, _ operands: [Address], sizes: [Int]) {
    plan.gradientStart.append(.init(kernel: kernel, operands: operands, sizes: sizes))
  }

  /// Adds a call that is made once a batch that is trained on, when its gradient has been summed.
  func emitGradientEnd(
    _ kernel: Plan.Kernel, _ operands: [Address], sizes: [Int], scalars: [Double] = []
  ) {
    plan.gradientEnd.append(
      .init(kernel: kernel, operands: operands, sizes: sizes, scalars: scalars))
  }

  /// Whether all tiles go through the steps together.
  var isFlat: Bool { plan.isFlat }

  /// Adds a call that is made after the backward pass of the tiles.
  func emitFinish(_ kernel: Plan.Kernel, _ operands: [Address], sizes: [Int], scope: Plan.Scope) {
    plan.finish.append(.init(kernel: kernel, operands: operands, sizes: sizes, scope: scope))
  }

  /// The flat rows of `size` features that tiles have at `address`, after their backward pass.
  func flatCopy(_ address: Address, _ size: Int) -> Address {
    if let known = flatCopies[address] { return known }
    let copy = layout.allocateShared(size, slots: layout.flatVectors)
    flatCopies[address] = copy
    emitFinish(\.flatten, [copy, address], sizes: [size, 0, 1], scope: .tile)
    return copy
  }

  /// Adds a call to the segment being emitted; `scope` is by default that of the segment.
  func emit(
    _ kernel: Plan.Kernel, _ operands: [Address], sizes: [Int] = [], scalars: [Double] = [],
    scope: Plan.Scope? = nil
  ) {
    current.calls.append(
      .init(
        kernel: kernel, operands: operands, sizes: sizes, scalars: scalars,
        scope: scope ?? (isEmittingFlat ? .flat : .tile)))
  }

  /// Whether a gradient of a weight that `node` uses is one call over all steps.
  func isDeferred(_ node: NodeID) -> Bool {
    options.isEnabled(.defer) && !segments[segmentOf[node]].isLastStepOnly
  }

  /// Adds a call of the gradient of a weight; `sizes` ends with whether it is over all steps.
  func emitWeightGradient(
    _ node: NodeID, _ kernel: Plan.Kernel, _ operands: [Address], sizes: [Int]
  ) {
    let isDeferred = isDeferred(node)
    let call = Plan.Call(
      kernel: kernel, operands: operands, sizes: sizes + [isEmittingFlat || isDeferred ? 1 : 0],
      scope: isEmittingFlat ? .batch : .tile)
    if isDeferred && !isEmittingFlat {
      plan.finish.append(call)
    } else {
      current.calls.append(call)
    }
  }

  /// Sums over lanes of a parameter's gradient: cleared before a tile's backward pass, and added
  /// to the gradient after it.
  func laneSums(_ id: ParameterID) -> Address {
    let key = "lanes.\(id)"
    if let known = caches[key] { return known }
    let size = graph.parameters[id].shape.reduce(1, *)
    let scope: Plan.Scope = isEmittingFlat ? .batch : .tile
    let sums = isEmittingFlat ? layout.allocateShared(size, slots: 1) : scratch(size)
    caches[key] = sums
    plan.backwardStart.append(
      .init(kernel: \.fill, operands: [sums], sizes: [size], scope: scope))
    plan.finish.append(
      .init(
        kernel: \.reduce_lanes, operands: [parameterGradient(id), sums], sizes: [size],
        scope: scope))
    return sums
  }

  /// `size` features in each of `slots` slots of a tile, by name: always the same for one name.
  func storage(_ name: String, _ size: Int, slots: Int) -> Address {
    let key = "storage.\(name)"
    if let known = caches[key] { return known }
    let address = layout.allocate(size, slots: slots)
    caches[key] = address
    return address
  }

  /// Carries `size` features from a batch to one that continues it, without their gradient: those at
  /// `slots` before the first step, and as many slots on as there are steps after the last.
  func carry(_ name: String, _ slots: Address, size: Int) {
    plan.carried.append(.init(name: name, slots: slots, initialGradient: .none, size: size))
  }

  /// Adds a call that is made before a tile's backward pass.
  func emitBackwardStart(_ kernel: Plan.Kernel, _ operands: [Address], sizes: [Int]) {
    plan.backwardStart.append(.init(kernel: kernel, operands: operands, sizes: sizes))
  }

  /// Clears one slot of `size` features before a tile's backward pass.
  func clearBeforeBackward(_ address: Address, _ size: Int) {
    plan.backwardStart.append(.init(kernel: \.fill, operands: [address], sizes: [size]))
  }

  /// The gradient of `node`, complete; nil where nothing depends on the node.
  func gradient(_ node: NodeID) -> Address? {
    guard layout.requiresGradient[node] else { return nil }
    let root = layout.gradientRoot(node).root
    guard !layout.isZeroFilled(root) else { return layout.gradient(node) }
    let range = layout.gradientRange(node)
    let ranges = written[root, default: []]
    guard ranges.contains(where: { $0.overlaps(range) }) else { return nil }
    fillUnwritten(root, range)
    return layout.gradient(node)
  }

  /// Where a consumer of `node` puts its share of the node's gradient, and whether it adds to the
  /// shares of others; nil where no gradient is wanted.
  func contribution(to node: NodeID) -> (address: Address, adds: Bool)? {
    guard layout.requiresGradient[node] else { return nil }
    let root = layout.gradientRoot(node).root
    if layout.isZeroFilled(root) { return (layout.gradient(node), true) }
    let range = layout.gradientRange(node)
    if written[root, default: []].contains(where: { $0.overlaps(range) }) {
      fillUnwritten(root, range)
      return (layout.gradient(node), true)
    }
    written[root, default: []].append(range)
    return (layout.gradient(node), false)
  }

  /// Zeroes the features of `range` that no consumer has written.
  private func fillUnwritten(_ root: NodeID, _ range: Range<Int>) {
    var position = range.lowerBound
    for part in written[root, default: []].sorted(by: { $0.lowerBound < $1.lowerBound })
    where part.upperBound > range.lowerBound && part.lowerBound < range.upperBound {
      if part.lowerBound > position { fill(root, position..<part.lowerBound) }
      position = max(position, part.upperBound)
    }
    if position < range.upperBound { fill(root, position..<range.upperBound) }
  }

  private func fill(_ root: NodeID, _ range: Range<Int>) {
    emit(
      \.fill, [layout.gradient(root).advanced(features: range.lowerBound)], sizes: [range.count])
    written[root, default: []].append(range)
  }
}
