import CKernels

/// What the writes up to each step count by then, in a memory that is kept as these:
/// p(t, w) = g(t) p(t - 1, w),   p(t, t) = 1.
struct HistoryDecay: Operation {
  /// p of the step before.
  let previous: NodeID
  let gate: NodeID
  var operands: [NodeID] { [previous, gate] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    HistoryDecay(previous: replace(previous), gate: replace(gate))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.history_decay, [plan.value(node), plan.value(previous), plan.value(gate)], sizes: [])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let gradient = plan.gradient(node) else { return }
    let toPrevious = plan.contribution(to: previous)
    let toGate = plan.contribution(to: gate)
    plan.emit(
      \.history_decay_backward,
      [
        gradient, plan.value(previous), plan.value(gate), toPrevious?.address ?? .none,
        toGate?.address ?? .none,
      ], sizes: [toPrevious?.adds == true ? 1 : 0, toGate?.adds == true ? 1 : 0])
  }
}

/// The update of a memory of rank three that is kept as its writes: nothing is computed, and the
/// derivative is gathered from the later reads.
struct TensorWrite: Operation {
  let state: Int
  let first: NodeID
  let second: NodeID
  let written: NodeID
  /// What the writes count, after this one.
  let weights: NodeID
  var operands: [NodeID] { [first, second, written, weights] }
  var memory: MemoryReference? { .previous(state) }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    TensorWrite(
      state: state, first: replace(first), second: replace(second), written: replace(written),
      weights: replace(weights))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {}

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    for (node, content) in plan.graph.nodes.enumerated() {
      guard let read = content.operation as? TensorRead, read.source.state == state else {
        continue
      }
      let scores = read.scores(node, plan)
      let sources = [
        (written, plan.layout.gradient(node), scores.a),
        (first, plan.value(read.first), scores.first),
        (second, plan.value(read.second), scores.second),
      ]
      for (write, other, scores) in sources {
        guard let share = plan.contribution(to: write) else { continue }
        plan.emit(
          \.history_gather,
          [share.address, other, scores, plan.scratch(Int(MS_GATHERED) * plan.size(write))],
          sizes: [plan.size(write), read.lag, share.adds ? 1 : 0, plan.historyWrites])
      }
    }
  }
}

/// What a memory of rank three gives to two vectors, through the history of its writes.
struct TensorRead: Operation {
  let source: MemoryReference
  let first: NodeID
  let second: NodeID
  /// What the writes count that the read sees.
  let weights: NodeID
  var operands: [NodeID] { [first, second, weights] }
  var memory: MemoryReference? { source }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    TensorRead(
      source: source, first: replace(first), second: replace(second), weights: replace(weights))
  }

  /// How many steps ago the newest write is that the read sees.
  var lag: Int {
    if case .previous = source { return 1 }
    return 0
  }

  /// What each past write counts in the read, and its two factors, later their derivatives.
  func scores(_ node: NodeID, _ plan: PlanBuilder) -> (a: Address, first: Address, second: Address)
  {
    let writes = plan.historyWrites
    return (
      plan.cache(node, "a", writes), plan.cache(node, "first", writes),
      plan.cache(node, "second", writes)
    )
  }

  func keepsGradient(_ plan: PlanBuilder) -> Bool { true }

  private func operands(_ node: NodeID, _ plan: PlanBuilder) -> [Address] {
    guard let history = plan.histories[source.state], let second = history.second else {
      preconditionFailure("a tensor without its history")
    }
    return [history.u, history.v, second, weights].map(plan.value)
  }

  private func sizes(_ node: NodeID, _ plan: PlanBuilder) -> [Int] {
    [plan.size(node), plan.size(first), plan.size(second), lag]
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    let scores = scores(node, plan)
    plan.emit(
      \.tensor_read,
      [plan.value(node), plan.value(first), plan.value(second)] + operands(node, plan)
        + [scores.a, scores.first, scores.second], sizes: sizes(node, plan))
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    let scores = scores(node, plan)
    plan.emit(
      \.tensor_read_backward,
      [dy, plan.addedContribution(to: first), plan.addedContribution(to: second)]
        + operands(node, plan)
        + [
          plan.addedContribution(to: weights), scores.first, scores.second,
          plan.scratch(plan.historyWrites),
        ], sizes: sizes(node, plan))
  }
}
