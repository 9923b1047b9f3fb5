/// The sizes of a nondeterministic stack.
struct NondeterministicSizes: Hashable {
  let states: Int
  let symbols: Int
  /// Numbers that a symbol carries; 0 for none.
  let carried: Int
  /// The most steps of a run; 0 for any number.
  let window: Int

  /// States with a symbol on top.
  var tops: Int { states * symbols }
  /// Log weights of push, replace and pop.
  var operations: Int { tops * (2 * tops + states) }
  var reading: Int { tops * max(carried, 1) }
  /// Numbers of the runs from one step to another.
  var block: Int { (tops + carried) * tops }

  /// Runs to all columns up to `steps`.
  func blocks(steps: Int) -> Int {
    window > 0 ? (steps + window) * window : (steps + 1) * (steps + 2) / 2
  }
}

/// Where a nondeterministic stack stands: probabilities of tops, of runs, and their gradients.
private struct NondeterministicStorage {
  let tops: Address
  let runs: Address
  let isEmpty: Address
  let dtops: Address
  let druns: Address
  let sizes: [Int]

  init(_ history: Int, _ sizes: NondeterministicSizes, _ plan: PlanBuilder) {
    let (steps, trained) = (plan.options.maximumSteps, plan.options.maximumTrainingSteps)
    let carries = plan.options.carriesState && sizes.window > 0
    let name = plan.graph.historyStates[history].name
    tops = plan.storage("\(name).tops", sizes.tops, slots: steps + 1)
    runs = plan.storage("\(name).runs", sizes.blocks(steps: steps) * sizes.block, slots: 1)
    isEmpty = plan.storage("\(name).empty", 1, slots: 1)
    dtops = plan.storage("\(name).dtops", sizes.tops, slots: trained + 1)
    druns = plan.storage("\(name).druns", sizes.blocks(steps: trained) * sizes.block, slots: 1)
    self.sizes = [sizes.states, sizes.symbols, sizes.carried, sizes.window, carries ? 1 : 0]
  }
}

/// What the next step can read and change of a stack whose runs are all followed at once: the
/// probability of each top, or for each top what it carries, times that.
///
/// Equations and derivative are with the kernels.
struct NondeterministicRead: Operation {
  let state: Int
  let sizes: NondeterministicSizes
  /// What the first symbol carries.
  let first: NodeID?
  var operands: [NodeID] { first.map { [$0] } ?? [] }
  var history: Int? { state }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    NondeterministicRead(state: state, sizes: sizes, first: first.map(replace))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    let storage = NondeterministicStorage(state, sizes, plan)
    plan.emit(
      \.nondeterministic_read,
      [
        plan.value(node), first.map { plan.value($0) } ?? .none, storage.tops, storage.runs,
        storage.isEmpty,
      ], sizes: storage.sizes)
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    let storage = NondeterministicStorage(state, sizes, plan)
    let share = first.flatMap { plan.contribution(to: $0) }
    plan.emit(
      \.nondeterministic_read_backward,
      [
        dy, share?.address ?? .none, storage.tops, storage.runs, storage.isEmpty, storage.dtops,
        storage.druns,
      ], sizes: storage.sizes + [share?.adds == true ? 1 : 0])
  }
}

/// One step of all runs of a nondeterministic stack.
struct NondeterministicUpdate: Operation {
  let state: Int
  let sizes: NondeterministicSizes
  /// Log weights: for each top those of pushing and replacing to each top and of popping to each
  /// state.
  let weights: NodeID
  let vector: NodeID?
  var operands: [NodeID] { [weights] + (vector.map { [$0] } ?? []) }
  var history: Int? { state }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    NondeterministicUpdate(
      state: state, sizes: sizes, weights: replace(weights), vector: vector.map(replace))
  }

  /// The tops, and the runs of a window or of all steps.
  func stateSize(_ node: NodeID, _ plan: PlanBuilder) -> Int {
    let blocks =
      sizes.window > 0
      ? sizes.window * sizes.window : sizes.blocks(steps: plan.options.maximumSteps)
    return sizes.tops + blocks * sizes.block
  }

  private func caches(_ node: NodeID, _ plan: PlanBuilder) -> (weights: Address, sum: Address) {
    (plan.cache(node, "weights", sizes.operations), plan.cache(node, "sum", 1))
  }

  /// Room for `count` copies of weights and of runs that end.
  private func room(_ count: Int, _ plan: PlanBuilder) -> Address {
    let steps = plan.options.maximumSteps
    let ages = sizes.window > 0 ? min(sizes.window, steps + 1) : steps + 1
    let each = sizes.operations + ages * sizes.tops * sizes.states
    return plan.roomForCall(count * each * 16)
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    let storage = NondeterministicStorage(state, sizes, plan)
    let caches = caches(node, plan)
    plan.emit(
      \.nondeterministic_update,
      [
        plan.value(weights), vector.map { plan.value($0) } ?? .none, caches.weights, storage.tops,
        storage.runs, caches.sum, room(1, plan),
      ], sizes: storage.sizes)
    guard plan.options.carriesState, sizes.window > 0 else { return }
    let name = plan.graph.historyStates[state].name
    plan.carry("\(name).tops", storage.tops, size: sizes.tops)
    var columns = storage.runs
    columns.stride = sizes.window * sizes.block * 16
    plan.carry("\(name).runs", columns, size: sizes.window * sizes.window * sizes.block)
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    let storage = NondeterministicStorage(state, sizes, plan)
    let caches = caches(node, plan)
    plan.emitBackwardStart(
      \.nondeterministic_clear, [storage.dtops, storage.druns], sizes: storage.sizes)
    let toWeights = plan.contribution(to: weights)
    let toVector = vector.flatMap { plan.contribution(to: $0) }
    let adds = (toWeights?.adds == true ? 1 : 0) + (toVector?.adds == true ? 2 : 0)
    plan.emit(
      \.nondeterministic_update_backward,
      [
        toWeights?.address ?? .none, vector.map { plan.value($0) } ?? .none, caches.weights,
        storage.tops, storage.runs, caches.sum, room(2, plan), storage.dtops, storage.druns,
        toVector?.address ?? .none,
      ], sizes: storage.sizes + [adds])
  }
}

/// A stack with states of which all runs are followed at once.
package struct NondeterministicStack {
  unowned let builder: StepBuilder
  let state: Int
  let sizes: NondeterministicSizes
  /// Log weights that a step needs.
  package var operations: Int { sizes.operations }

  /// What the step sees, as the step before left it; `first` is what the first symbol carries, of a
  /// stack whose symbols do.
  package func reading(first: Vector? = nil) -> Vector {
    precondition((first?.size ?? 0) == sizes.carried, "what the first symbol carries")
    return builder.add(
      NondeterministicRead(state: state, sizes: sizes, first: first?.node), size: sizes.reading)
  }
}

extension StepBuilder {
  /// A stack with `states` states and `symbols` symbols, which carry vectors of `carried` numbers
  /// each; runs of more than `window` steps are dropped, unless that is 0.
  package func nondeterministicStack(
    _ name: String, states: Int, symbols: Int, carrying carried: Int = 0, window: Int = 0
  ) -> NondeterministicStack {
    NondeterministicStack(
      builder: self, state: history(name),
      sizes: NondeterministicSizes(
        states: states, symbols: symbols, carried: carried, window: window))
  }

  /// Carries the stack on by a step of log weights; symbols pushed carry `vector`, if they do.
  package func next(_ stack: NondeterministicStack, weights: Vector, pushing vector: Vector? = nil)
  {
    precondition(weights.size == stack.operations, "\(weights.size) of \(stack.operations)")
    precondition((vector?.size ?? 0) == stack.sizes.carried, "what a symbol carries")
    update(
      history: stack.state,
      with: NondeterministicUpdate(
        state: stack.state, sizes: stack.sizes, weights: weights.node, vector: vector?.node))
  }
}
