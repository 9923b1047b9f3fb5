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

  /// What has been emitted so far, and the segment that is being emitted.
  var plan = Plan()
  var current = Plan.Segment(isLastStepOnly: false)
  /// Where what operations keep stands, and gradients of other things than parameters, by name.
  var caches: [String: Address] = [:]
  var gradientRooms: [String: Address] = [:]
  /// The features whose gradient has been written, by root.
  var written: [NodeID: [Range<Int>]] = [:]
  /// Of those that are trained, in the flat buffer.
  let parameterOffsets: [Int]
  /// Derived weights whose gradient is wanted, in the order in which it was first asked for.
  var derivedGradients: [ParameterID] = []
  /// Whether the node being emitted is over flat rows.
  private(set) var isEmittingFlat = false
  /// Flat rows of what tiles have, by where it stands in a tile.
  var flatCopies: [Address: Address] = [:]
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
    plan.gradientCount = max(offset, options.storedParameters)
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
    plan.flatVectors = layout.flatVectors
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
