import CKernels

/// Where the values and gradients of a graph stand in the arena.
///
/// A slice is a part of what it cuts; a carried value's previous step is the slot before; a sum may
/// take over the storage of a term that nothing else uses. What remains are roots with storage of
/// their own: values at every step, gradients at every step or, where all of it happens within one
/// step of one loop, in one slot that is used again and again.
final class PlanLayout {
  /// A part of a root's storage, at this step or, with a lag, some steps before.
  struct Place {
    var root: NodeID
    var offset = 0
    var lag = 0
  }

  private let graph: StepGraph
  private let options: PlanOptions
  private let segments: [GraphSegment]
  private let segmentOf: [Int]
  private var uses: [[NodeID]]
  private(set) var arenaCount = 0
  private(set) var sharedCount = 0
  /// Vectors of the flat rows of a batch.
  let flatVectors: Int
  private(set) var requiresGradient: [Bool]
  /// By root: how many steps its values, or their gradients, are carried for.
  private var carriedValues: [NodeID: Int] = [:]
  private var carriedGradients: [NodeID: Int] = [:]
  private var values: [NodeID: Address] = [:]
  private var gradients: [NodeID: Address] = [:]
  private var matrices: [Int: Address] = [:]
  private var matrixGradients: [Int: Address] = [:]
  private(set) var zeroFilledGradients: [NodeID] = []
  /// By node: the sum whose gradient buffer it shares.
  private var sharing: [NodeID: NodeID] = [:]

  init(graph: StepGraph, options: PlanOptions, segments: [GraphSegment], segmentOf: [Int]) {
    self.graph = graph
    self.options = options
    self.segments = segments
    self.segmentOf = segmentOf
    flatVectors =
      (options.maximumRows * options.maximumSteps + Int(MS_LANES) - 1) / Int(MS_LANES)
    uses = Array(repeating: [], count: graph.nodes.count)
    requiresGradient = Array(repeating: false, count: graph.nodes.count)
    for node in graph.nodes.indices {
      for operand in graph.nodes[node].operation.operands { uses[operand].append(node) }
    }
    // Some nodes stand after those that need them.
    for (node, content) in Array(graph.nodes.enumerated()) + Array(graph.nodes.enumerated()) {
      requiresGradient[node] =
        content.operation.hasParameters || content.operation is PreviousValue
        || content.operation.memory != nil || content.operation.history != nil
        || (content.operation is Input && options.wantsInputGradient)
        || content.operation.operands.contains { requiresGradient[$0] }
    }
    for state in graph.vectorStates {
      guard let next = state.next else { preconditionFailure("\(state.name) is never carried on") }
      carriedValues[place(next).root, default: 0].formMaximum(with: state.depth)
    }
  }

  // MARK: - Values

  /// The term of the sum `node` whose storage the sum takes over, if there is one.
  func accumulator(of node: NodeID) -> NodeID? {
    guard let sum = graph.nodes[node].operation as? Sum, sum.terms.count > 1 else { return nil }
    return sum.vectors.first { term in
      uses[term] == [node] && isWriter(term) && !isCarriedNext(term)
        && graph.nodes[term].isReadout == graph.nodes[node].isReadout
    }
  }

  /// Whether a node writes its value without reading it again for its derivative.
  private func isWriter(_ node: NodeID) -> Bool {
    switch graph.nodes[node].operation {
    case is Sum, is FoldedLookup, is LayerNorm, is Product, is Affine, is MatrixRead, is Flatten,
      is Unflatten:
      true
    case is ScalarProduct, is Gain, is Maximum, is FeatureSum, is Broadcast, is InnerProduct,
      is Detachment, is SelectiveScan, is TensorRead:
      true
    default: false
    }
  }

  private func isCarriedNext(_ node: NodeID) -> Bool {
    graph.vectorStates.contains { $0.next == node } || graph.output == node
      || graph.observed == node
  }

  private func place(_ node: NodeID) -> Place {
    let operation = graph.nodes[node].operation
    if let slice = operation as? Slice {
      var place = place(slice.operand)
      place.offset += slice.offset
      return place
    }
    if let previous = operation as? PreviousValue,
      let next = graph.vectorStates[previous.state].next
    {
      var place = place(next)
      precondition(place.lag == 0, "a carried value is carried again without a copy")
      place.lag = previous.lag
      return place
    }
    if let accumulator = accumulator(of: node) { return place(accumulator) }
    if let activation = operation as? Activation, isOverwritable(activation.operand, by: node) {
      return place(activation.operand)
    }
    return Place(root: node)
  }

  /// Whether `user` may put something of its own where the value of `node` stands: nothing else
  /// reads it, neither in this step nor for a derivative nor in the next step.
  func isOverwritable(_ node: NodeID, by user: NodeID) -> Bool {
    guard uses[node] == [user], !isCarriedNext(node),
      graph.nodes[node].isReadout == graph.nodes[user].isReadout
    else { return false }
    if let slice = graph.nodes[node].operation as? Slice {
      let range = slice.offset..<slice.offset + graph.nodes[node].size
      return isWriter(slice.operand) && !isCarriedNext(slice.operand)
        && uses[slice.operand].allSatisfy { other in
          guard let part = graph.nodes[other].operation as? Slice else { return false }
          return other == node
            || !range.overlaps(part.offset..<part.offset + graph.nodes[other].size)
        }
    }
    return isWriter(node)
  }

  /// Whether the layer norm `user` keeps xhat where the value of `node` stood.
  func isNormalisedInPlace(_ node: NodeID, by user: NodeID) -> Bool {
    graph.nodes[user].operation is LayerNorm && !(graph.nodes[node].operation is Slice)
      && isOverwritable(node, by: user)
  }

  /// The slots that a node's values or caches need.
  func slots(of node: NodeID) -> Int {
    segments[segmentOf[node]].isLastStepOnly ? 1 : options.maximumSteps
  }

  /// Whether the value of a node is over the flat rows of a batch.
  func isFlat(_ node: NodeID) -> Bool {
    segments[segmentOf[node]].isFlat || graph.nodes[node].operation is Flatten
  }

  /// `size` features of `node` at each step, and `more` slots.
  func allocate(_ size: Int, for node: NodeID, more: Int = 0) -> Address {
    isFlat(node)
      ? allocateShared(size, slots: flatVectors) : allocate(size, slots: slots(of: node) + more)
  }

  /// `size` features in each of `slots` slots that all tiles share.
  func allocateShared(_ size: Int, slots: Int) -> Address {
    let stride = size * Int(MS_LANES)
    let address = Address(space: .shared, offset: sharedCount, stride: slots == 1 ? 0 : stride)
    sharedCount += slots * stride
    return address
  }

  /// `size` features in each of `slots` slots; one slot is the same at every step.
  func allocate(_ size: Int, slots: Int) -> Address {
    let stride = size * Int(MS_LANES)
    let address = Address(space: .arena, offset: arenaCount, stride: slots == 1 ? 0 : stride)
    // Multiples of 16 elements: every address is aligned to a cache line.
    arenaCount += slots * stride
    return address
  }

  func value(_ node: NodeID) -> Address {
    address(ofValue: place(node))
  }

  private func address(ofValue place: Place) -> Address {
    let size = graph.nodes[place.root].size
    let depth = carriedValues[place.root] ?? 0
    let isConstant = graph.nodes[place.root].operation is Constant
    let base =
      values[place.root]
      ?? (isConstant
        ? allocateShared(size, slots: 1) : allocate(size, for: place.root, more: depth))
    values[place.root] = base
    return address(base, place, depth: depth)
  }

  private func address(_ base: Address, _ place: Place, depth: Int) -> Address {
    var address = base.advanced(features: place.offset)
    address.offset += (depth - place.lag) * address.stride
    return address
  }

  /// Where the initial values of a carried vector stand, the oldest first, and their gradients.
  func initialValues(of state: StepGraph.VectorState) -> (values: Address, gradients: Address) {
    guard let next = state.next else { return (.none, .none) }
    var (value, gradient) = (place(next), gradientRoot(next))
    value.lag = state.depth
    gradient.lag = state.depth
    return (address(ofValue: value), address(ofGradient: gradient))
  }

  // MARK: - Matrices

  func matrix(_ reference: MemoryReference) -> Address {
    switch reference {
    case .previous(let state):
      let slots =
        matrices[state]
        ?? allocate(graph.matrixStates[state].size, slots: options.maximumSteps + 1)
      matrices[state] = slots
      return slots
    case .updated(let state):
      var address = matrix(.previous(state))
      address.offset += address.stride
      return address
    }
  }

  func matrixGradient(_ state: Int) -> Address {
    let slot = matrixGradients[state] ?? allocate(graph.matrixStates[state].size, slots: 1)
    matrixGradients[state] = slot
    return slot
  }

  // MARK: - Gradients

  func gradientRoot(_ node: NodeID) -> Place {
    let operation = graph.nodes[node].operation
    if let slice = operation as? Slice {
      var place = gradientRoot(slice.operand)
      place.offset += slice.offset
      return place
    }
    if let previous = operation as? PreviousValue,
      let next = graph.vectorStates[previous.state].next
    {
      var place = gradientRoot(next)
      place.lag = previous.lag
      return place
    }
    if let sum = sharing[node] { return gradientRoot(sum) }
    return Place(root: node)
  }

  func gradientRange(_ node: NodeID) -> Range<Int> {
    let place = gradientRoot(node)
    return place.offset..<place.offset + graph.nodes[node].size
  }

  /// How many slots a gradient has before those of the steps, for the initial values.
  func initialGradients(_ root: NodeID) -> Int { carriedGradients[root] ?? 0 }

  func isZeroFilled(_ root: NodeID) -> Bool { zeroFilledGradients.contains(root) }

  /// Decides for every gradient where it stands; `keeps` tells which nodes need theirs at all steps.
  func assignGradients(keeps: (NodeID) -> Bool) {
    for (node, content) in graph.nodes.enumerated() {
      guard let sum = content.operation as? Sum else { continue }
      for term in sum.vectors where mayShare(term, with: node) { sharing[term] = node }
    }
    var members: [NodeID: [NodeID]] = [:]
    for node in graph.nodes.indices where requiresGradient[node] && graph.nodes[node].size > 0 {
      members[gradientRoot(node).root, default: []].append(node)
    }
    for (root, nodes) in members.sorted(by: { $0.key < $1.key }) {
      let depth = nodes.reduce(0) { max($0, gradientRoot($1).lag) }
      let isCarried = depth > 0
      if isCarried { carriedGradients[root] = depth }
      var touching = Set(nodes.map { segmentOf[$0] })
      for node in nodes { touching.formUnion(uses[node].map { segmentOf[$0] }) }
      let isLastStepOnly = segments[segmentOf[root]].isLastStepOnly
      let isOutput = nodes.contains { $0 == graph.output }
      let reachesLastStepOnly =
        !isLastStepOnly
        && (touching.contains { segments[$0].isLastStepOnly }
          || isOutput && options.answersLastStepOnly)
      let isInput = graph.nodes[root].operation is Input
      let needsAllSteps = touching.count > 1 || isOutput || isInput || nodes.contains(where: keeps)
      if isCarried || reachesLastStepOnly { zeroFilledGradients.append(root) }
      let slots =
        isCarried
        ? options.maximumSteps + depth
        : isLastStepOnly ? 1 : needsAllSteps ? options.maximumSteps : 1
      if slots == options.maximumSteps, !isCarried, !reachesLastStepOnly,
        let norm = uses[root].first, isNormalisedInPlace(root, by: norm)
      {
        // Layer norm's derivative reads each xhat for the last time when it writes the gradient.
        gradients[root] = value(root)
        continue
      }
      if graph.nodes[root].operation is SoftmaxReadout { continue }
      gradients[root] =
        isFlat(root)
        ? allocate(graph.nodes[root].size, for: root)
        : allocate(graph.nodes[root].size, slots: slots)
    }
  }

  private func mayShare(_ term: NodeID, with sum: NodeID) -> Bool {
    uses[term] == [sum] && requiresGradient[term]
      && !(graph.nodes[term].operation is Slice)
      && !(graph.nodes[term].operation is PreviousValue)
      && !isCarriedNext(term)
      && graph.nodes[term].isReadout == graph.nodes[sum].isReadout
  }

  func gradientBase(_ root: NodeID) -> Address { gradients[root] ?? .none }

  func gradient(_ node: NodeID) -> Address {
    address(ofGradient: gradientRoot(node))
  }

  private func address(ofGradient place: Place) -> Address {
    guard let base = gradients[place.root] else { return .none }
    return address(base, place, depth: initialGradients(place.root))
  }
}

extension Int {
  fileprivate mutating func formMaximum(with other: Int) { self = Swift.max(self, other) }
}
