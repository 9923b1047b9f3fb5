/// A diagonal linear recurrence with a decay that its time step selects, and what is read of it.
///
///     h_j' = exp(-rate_j delta) h_j + b_j w,   y = sum over j of c_j h_j'
///
/// The vectors h_j are the rows of a carried matrix, whose gradient is carried back in place. The
/// derivative is with the kernel.
struct SelectiveScan: Operation {
  let state: Int
  let states: Int
  /// delta and w, of the size of y.
  let timeStep: NodeID
  let written: NodeID
  /// b and c, a number for each j.
  let writing: NodeID
  let reading: NodeID
  let rates: ParameterID
  var operands: [NodeID] { [timeStep, written, writing, reading] }
  var memory: MemoryReference? { .previous(state) }
  var hasParameters: Bool { true }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    SelectiveScan(
      state: state, states: states, timeStep: replace(timeStep), written: replace(written),
      writing: replace(writing), reading: replace(reading), rates: rates)
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.selective_scan,
      [
        plan.value(node), plan.layout.matrix(.updated(state)), plan.layout.matrix(.previous(state)),
        plan.value(timeStep), plan.value(written), plan.value(writing), plan.value(reading),
        plan.parameter(rates),
      ], sizes: [plan.size(node), states])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    let gradient = plan.layout.matrixGradient(state)
    plan.clearBeforeBackward(gradient, plan.size(node) * states)
    plan.emit(
      \.selective_scan_backward,
      [
        gradient, plan.layout.matrix(.previous(state)), plan.value(timeStep), plan.value(written),
        plan.value(writing), plan.value(reading), plan.parameter(rates), dy,
        plan.addedContribution(to: timeStep), plan.addedContribution(to: written),
        plan.addedContribution(to: writing), plan.addedContribution(to: reading),
        plan.parameterGradient(rates),
      ], sizes: [plan.size(node), states])
  }
}

/// exp(a), element by element, once a batch:   da += exp(a) dw.
struct WeightExponential: DerivedWeight {
  let count: Int

  func forward(_ weight: Address, of source: Address, _ plan: PlanBuilder) {
    plan.emitBatchStart(\.weight_exponential, [weight, source], sizes: [count])
  }

  func backward(
    _ gradient: Address, of source: Address, to sourceGradient: Address, _ plan: PlanBuilder
  ) {
    plan.emitGradientEnd(
      \.weight_exponential_backward, [sourceGradient, gradient, source], sizes: [count])
  }
}

extension StepBuilder {
  /// What is read of vectors h_j that are carried from step to step:
  /// h_j' = exp(-exp(`rates`_j) `timeStep`) h_j + `writing`_j `written`, the sum over j of `reading`_j h_j'.
  ///
  /// `rates` names a parameter without weight decay, one vector after the other, like the state `name`.
  package func selectiveScan(
    _ name: String, timeStep: Vector, written: Vector, writing: Vector, reading: Vector,
    rates: String, _ start: Initializer
  ) -> Vector {
    let (size, states) = (timeStep.size, writing.size)
    precondition(
      written.size == size && reading.size == states,
      "\(written.size) numbers written of \(size), \(reading.size) read of \(states)")
    let logarithms = withoutWeightDecay { parameter(rates, [states * size], start) }
    let weight = parameter(
      "exp(\(rates))", [states * size], .constant(0),
      .derived(WeightExponential(count: states * size), from: logarithms))
    return update(matrix(name, states, size), size: size) { state in
      SelectiveScan(
        state: state, states: states, timeStep: timeStep.node, written: written.node,
        writing: writing.node, reading: reading.node, rates: weight)
    }
  }
}
