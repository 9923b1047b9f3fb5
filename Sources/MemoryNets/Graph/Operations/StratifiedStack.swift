/// The reading of a stack of vectors with strengths, after what the step removes and pushes.
///
/// The whole stack is a history of this operation's operands: it starts empty with every batch.
/// Equations and derivative are with the kernel.
struct StratifiedStack: Operation {
  /// Two numbers: pushed and removed.
  let strengths: NodeID
  let vector: NodeID
  var operands: [NodeID] { [strengths, vector] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    StratifiedStack(strengths: replace(strengths), vector: replace(vector))
  }

  /// An entry for every step, with its strength.
  func stateSize(_ node: NodeID, _ plan: PlanBuilder) -> Int {
    plan.options.maximumSteps * (plan.size(vector) + 1)
  }

  private func caches(_ node: NodeID, _ plan: PlanBuilder) -> (s: Address, c: Address) {
    let steps = plan.options.maximumSteps
    return (plan.cache(node, "s", steps), plan.cache(node, "c", steps))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    let caches = caches(node, plan)
    plan.emit(
      \.stratified_stack,
      [plan.value(node), plan.value(strengths), plan.value(vector), caches.s, caches.c],
      sizes: [plan.size(vector)])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    let caches = caches(node, plan)
    let (size, steps) = (plan.size(vector), plan.options.maximumTrainingSteps)
    let ds = plan.storage("ds.\(node)", steps, slots: 1)
    let dv = plan.storage("dv.\(node)", size, slots: steps)
    plan.clearBeforeBackward(ds, steps)
    plan.emitBackwardStart(\.clear, [dv], sizes: [size, 0])
    let toStrengths = plan.contribution(to: strengths)
    let toVector = plan.contribution(to: vector)
    plan.emit(
      \.stratified_stack_backward,
      [
        dy, plan.value(vector), caches.s, caches.c, ds, dv, toStrengths?.address ?? .none,
        toVector?.address ?? .none,
      ], sizes: [size, toStrengths?.adds == true ? 1 : 0, toVector?.adds == true ? 1 : 0])
  }
}

extension StepBuilder {
  /// What a stack of vectors with strengths gives to read after `vector` was pushed.
  ///
  /// `strengths` are two numbers: that with which it is pushed, and that removed from the top before.
  package func stratifiedStack(pushing vector: Vector, strengths: Vector) -> Vector {
    precondition(strengths.size == 2, "\(strengths.size) strengths, not two")
    return add(
      StratifiedStack(strengths: strengths.node, vector: vector.node), size: vector.size)
  }
}
