import CKernels

/// W' = W mask, with elements dropped at random, the same ones for a whole batch:   dW = dW' mask.
///
/// DropConnect on recurrent weights, once a batch: Merity, Keskar and Socher 2018, arXiv:1708.02182.
/// Nothing is dropped outside training.
struct DroppedWeight: DerivedWeight {
  let probability: Double
  let source: ParameterID
  let shape: [Int]
  var isInPlace: Bool { true }

  private var count: Int { shape.reduce(1, *) }

  private func mask(_ plan: PlanBuilder) -> Address {
    plan.cache("dropped.\(source)", elements: count).address
  }

  func forward(_ weight: Address, of values: Address, _ plan: PlanBuilder) {
    plan.emitBatchStart(
      \.drop_weights, [weight, values, mask(plan)], sizes: [count, source],
      scalars: [probability])
  }

  func backward(
    _ gradient: Address, of values: Address, to sourceGradient: Address, _ plan: PlanBuilder
  ) {
    plan.emitGradientEnd(
      \.drop_weights_backward, [sourceGradient, mask(plan)], sizes: [count])
  }
}

extension StepBuilder {
  /// The rows x columns parameter `name` with elements dropped in training.
  package func dropped(
    _ name: String, _ rows: Int, _ columns: Int, _ initializer: Initializer, _ probability: Double
  ) -> Weight {
    let source = parameter(name, [rows, columns], initializer)
    let function = DroppedWeight(probability: probability, source: source, shape: [rows, columns])
    let id = parameter(
      "dropped(\(name))", [rows, columns], .constant(0), .derived(function, from: source))
    return Weight(id: id, rows: rows, columns: columns)
  }
}
