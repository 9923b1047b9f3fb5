/// The value that a carried vector had `lag` steps ago: that many slots before, no computation.
struct PreviousValue: Operation {
  let state: Int
  var lag = 1
  var operands: [NodeID] { [] }
  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation { self }
  func forward(_ node: NodeID, _ plan: PlanBuilder) {}
  func backward(_ node: NodeID, _ plan: PlanBuilder) {}
}

/// Some of the features of a vector: a part of its storage, no computation.
struct Slice: Operation {
  let operand: NodeID
  let offset: Int
  var operands: [NodeID] { [operand] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Slice(operand: replace(operand), offset: offset)
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {}
  func backward(_ node: NodeID, _ plan: PlanBuilder) {}
}
