/// y = numbers that are the same at every step for every sequence: written once a batch, into one
/// slot that all steps and tiles share.
struct Constant: Operation {
  let values: [Double]
  var operands: [NodeID] { [] }
  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation { self }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    var first = 0
    while first < values.count {
      let run = values[first...].prefix { $0 == values[first] }.count
      plan.emitBatchStart(
        \.fill, [plan.value(node).advanced(features: first)], sizes: [run],
        scalars: [values[first]])
      first += run
    }
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {}
}
