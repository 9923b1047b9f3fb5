import CKernels

/// Turns a `StepGraph` and its reverse-mode derivative into a `Plan`.
///
/// Owns what operations need while they emit their calls: where every value and gradient stands,
/// and whether a gradient has been written yet, so that the first consumer writes and the others add.
package final class PlanBuilder {
  let graph: StepGraph
  let options: PlanOptions
  let segments: [GraphSegment]
  let segmentOf: [Int]
  let histories: [Int: HistoryForm]
  let layout: PlanLayout

  private var plan = Plan()
  private var caches: [String: Address] = [:]
  private var gradientRooms: [String: Address] = [:]
  private var written: [NodeID: [Range<Int>]] = [:]
  private var current = Plan.Segment(isLastStepOnly: false)
  /// Of those that are trained, in the flat buffer.
  let parameterOffsets: [Int]
  /// Derived weights whose gradient is wanted, in the order in which it was first asked for.
  var derivedGradients: [ParameterID] = []
  /// Whether the node being emitted is over flat rows.
  private(set) var isEmittingFlat = false
  private var flatCopies: [Address: Address] = [:]
  /// Updates of matrices whose pass over dA is left to the next read of the old matrix, by state.
  var pendingCarries: [Int: MatrixUpdate] = [:]
  /// What reads of updated matrices add to dA', left right^T, and have left to the update, by state.
  var waitingReads: [Int: [Address]] = [:]

  /// Compiles `graph` under `options`.
  package static func plan(_ graph: StepGraph, _ options: PlanOptions) -> Plan {
    var flat = graph.flattened()
    if options.isEnabled(.fold) {
      flat.foldInputs(maximumSteps: options.maximumSteps, lanes: Int(MS_LANES))
    }
    if options.isEnabled(.lowerMemories) {
      flat.lowerTensors(maximumSteps: options.maximumSteps, carriesState: options.carriesState)
    }
    let builder = PlanBuilder(flat, options)
    return builder.build()
  }

  private init(_ source: StepGraph, _ options: PlanOptions) {
    self.options = options
    func histories(_ graph: StepGraph) -> [Int: HistoryForm] {
      options.isEnabled(.lowerMemories)
        ? graph.histories(maximumSteps: options.maximumSteps, carriesState: options.carriesState)
        : [:]
    }
    var graph = source
    var segments = graph.segments(
      hoist: options.isEnabled(.hoist), histories: histories(source),
      lastStepOnly: options.answersLastStepOnly)
    if options.isFlattening(graph.flatWeights(segments)), graph.flattenRows(&segments) {
      plan.isFlat = true
      plan.tiles = (options.maximumRows + Int(MS_LANES) - 1) / Int(MS_LANES)
      if options.loss == \.softmax_loss { graph.fuseSoftmax(segments) }
    }
    self.segments = segments
    self.graph = graph
    // What is written may have become a copy of flat rows.
    self.histories = histories(graph)
    var segmentOf = [Int](repeating: 0, count: graph.nodes.count)
    for (s, segment) in segments.enumerated() {
      for node in segment.nodes { segmentOf[node] = s }
    }
    self.segmentOf = segmentOf
    layout = PlanLayout(
      graph: graph, options: options, segments: segments, segmentOf: segmentOf)
    var offset = 0
    parameterOffsets = graph.parameters.map { parameter in
      defer { if parameter.isTrained { offset += parameter.shape.reduce(1, *) } }
      return offset
    }
    plan.gradientCount = offset
  }

  private func build() -> Plan {
    plan.maximumSteps = options.maximumSteps
    plan.parameters = graph.parameters.filter(\.isTrained)
    plan.lookupTables = graph.lookupTables.map { graph.parameters[$0].name }
    plan.stateSize = graph.nodes.indices.reduce(graph.stateSize) { size, node in
      size + graph.nodes[node].operation.stateSize(node, self)
    }
    layout.assignGradients(keeps: { self.graph.nodes[$0].operation.keepsGradient(self) })
    for segment in segments {
      current = .init(isLastStepOnly: segment.isLastStepOnly)
      isEmittingFlat = segment.isFlat
      for node in segment.nodes { graph.nodes[node].operation.forward(node, self) }
      if !current.calls.isEmpty { plan.forward.append(current) }
    }
    emitOutput()
    for root in layout.zeroFilledGradients {
      plan.backwardStart.append(
        .init(
          kernel: \.clear, operands: [layout.gradientBase(root)],
          sizes: [graph.nodes[root].size, layout.initialGradients(root)]))
    }
    for segment in segments.reversed() {
      current = .init(isLastStepOnly: segment.isLastStepOnly)
      isEmittingFlat = segment.isFlat
      for node in segment.nodes.reversed() { graph.nodes[node].operation.backward(node, self) }
      if !current.calls.isEmpty { plan.backward.append(current) }
    }
    emitCarried()
    emitWeightGradients()
    plan.arenaCount = layout.arenaCount
    plan.sharedCount = layout.sharedCount
    return plan
  }

  private func emitOutput() {
    if let observed = graph.observed {
      precondition(!layout.isFlat(observed), "only a value of a recurrence can be observed")
      plan.observed = value(observed)
      plan.observedSize = graph.nodes[observed].size
    }
    guard let output = graph.output else { return }
    plan.outputSize = graph.nodes[output].size
    plan.output = value(output)
    plan.outputGradient = layout.gradient(output)
    plan.loss.isLastStepOnly = options.answersLastStepOnly
    if let readout = graph.nodes[output].operation as? SoftmaxReadout {
      plan.loss.calls = [readout.loss(output, self)]
      return
    }
    if let kernel = options.loss {
      plan.loss.calls = [
        .init(
          kernel: kernel, operands: [plan.output, plan.outputGradient],
          sizes: [plan.outputSize, options.answersLastStepOnly ? 1 : 0],
          scalars: [options.lossFactor],
          scope: layout.isFlat(output) ? .flat : .tile)
      ]
    }
    written[layout.gradientRoot(output).root, default: []].append(
      layout.gradientRange(output))
  }

  private func emitCarried() {
    for state in graph.vectorStates {
      let initial = layout.initialValues(of: state)
      plan.carried.append(
        .init(
          name: state.name, slots: initial.values, initialGradient: initial.gradients,
          size: state.size, depth: state.depth))
    }
    for (i, state) in graph.matrixStates.enumerated() where histories[i] == nil {
      plan.carried.append(
        .init(
          name: state.name, slots: layout.matrix(.previous(i)),
          initialGradient: layout.matrixGradient(i), size: state.size))
    }
    for (node, content) in graph.nodes.enumerated() {
      guard let input = content.operation as? Input, input.source == .caller else { continue }
      plan.input = value(node)
      plan.inputGradient = options.wantsInputGradient ? layout.gradient(node) : .none
    }
  }
}

// MARK: - For operations

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

  func addLookupRoom(_ room: Plan.LookupRoom) { plan.lookupRooms.append(room) }

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
