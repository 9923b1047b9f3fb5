/// The position of a node in `StepGraph.nodes`.
package typealias NodeID = Int

/// The position of a parameter in `StepGraph.parameters`.
package typealias ParameterID = Int

/// What one time step of a model computes: the operations that its equations recorded.
///
/// A node is a vector of each sequence at each step. Nodes stand in the order in which they were
/// recorded, so what a node needs of the same step stands before it.
package struct StepGraph {
  package struct Node {
    var operation: any Operation
    /// Features of the vector; 0 where there is none, as for the update of a matrix alone.
    var size: Int
    /// Whether the node belongs to the read-out, which runs only where the task wants answers.
    var isReadout: Bool
  }

  /// A vector that is carried from step to step.
  struct VectorState {
    let name: String
    let size: Int
    /// How many steps its values are carried for.
    var depth = 1
    /// The node whose value is carried on.
    var next: NodeID?
    /// Whether it follows from what else is carried, and is no state of its own.
    var isDerived = false
  }

  /// A matrix that is carried from step to step.
  struct MatrixState {
    let name: String
    let rows: Int
    let columns: Int
    /// The node that updates it.
    var update: NodeID?
    var size: Int { rows * columns }
  }

  /// What is carried in a form of its own, by the operations that read and update it.
  struct HistoryState {
    let name: String
    /// The node that updates it.
    var update: NodeID?
  }

  package var nodes: [Node] = []
  var parameters: [ParameterDeclaration] = []
  var penalties: [OrthogonalPenalty] = []
  var vectorStates: [VectorState] = []
  var matrixStates: [MatrixState] = []
  var historyStates: [HistoryState] = []
  /// The model's outputs.
  var output: NodeID?
  /// What is to be looked at from outside.
  var observed: NodeID?

  /// Numbers carried from step to step for each sequence, in vectors and matrices, but for those that
  /// follow from others.
  package var stateSize: Int {
    vectorStates.filter { !$0.isDerived }.reduce(0) { $0 + $1.size * $1.depth }
      + matrixStates.reduce(0) { $0 + $1.size }
  }

  /// Numbers in all parameters that are trained.
  package var parameterCount: Int {
    parameters.filter(\.isTrained).reduce(0) { $0 + $1.shape.reduce(1, *) }
  }

  /// The tables that are looked up in and not used otherwise.
  var lookupTables: [ParameterID] {
    let tables = Set(nodes.compactMap { ($0.operation as? Lookup)?.table })
    let used = nodes.flatMap { node in
      (node.operation as? Sum)?.weights
        ?? (node.operation as? SoftmaxReadout).map { [$0.weight] } ?? []
    }
    return tables.subtracting(used).sorted()
  }

  /// The matrix that a node uses without updating it, if any.
  func readMemory(of node: NodeID) -> MemoryReference? {
    nodes[node].operation.memory.flatMap { matrixStates[$0.state].update == node ? nil : $0 }
  }

  /// The nodes whose value of the same step `node` needs.
  func dependencies(of node: NodeID) -> [NodeID] {
    var needed = nodes[node].operation.operands
    if case .updated(let state)? = nodes[node].operation.memory,
      let update = matrixStates[state].update
    {
      needed.append(update)
    }
    return needed
  }

  /// The nodes whose value of an earlier step `node` needs.
  func laggedDependencies(of node: NodeID) -> [NodeID] {
    if let state = (nodes[node].operation as? PreviousValue)?.state {
      return vectorStates[state].next.map { [$0] } ?? []
    }
    if case .previous(let state)? = nodes[node].operation.memory {
      return matrixStates[state].update.map { [$0] } ?? []
    }
    if let state = nodes[node].operation.history {
      return historyStates[state].update.map { [$0] } ?? []
    }
    return []
  }

  /// The nodes that read the matrix or history that `node` updates, as it was before.
  func readers(beforeUpdate node: NodeID) -> [NodeID] {
    let (memory, history) = (nodes[node].operation.memory, nodes[node].operation.history)
    if let history {
      guard historyStates[history].update == node else { return [] }
    } else {
      guard let memory, matrixStates[memory.state].update == node else { return [] }
    }
    return nodes.indices.filter { other in
      guard other != node else { return false }
      return history == nil
        ? nodes[other].operation.memory == memory : nodes[other].operation.history == history
    }
  }
}

/// A parameter as a cell declares it.
package struct ParameterDeclaration {
  let name: String
  let group: ParameterGroup
  /// Row-major.
  let shape: [Int]
  var initializer: Initializer
  /// What the learning rate is multiplied by.
  var rate = 1.0
  /// Whether weight decay acts on it.
  var isDecayed = true
  var origin = WeightOrigin.trained

  /// Whether it has numbers of its own that training changes.
  var isTrained: Bool { if case .trained = origin { true } else { false } }
}

/// Which value of a matrix an operation reads or writes.
package enum MemoryReference: Hashable {
  /// The matrix as the step before left it.
  case previous(Int)
  /// The matrix after this step's update.
  case updated(Int)

  /// The matrix.
  var state: Int {
    switch self {
    case .previous(let state), .updated(let state): state
    }
  }
}

/// One kind of node: its operands, its kernel calls and those of its derivative.
///
/// Each lives in one file under Operations/, next to its equation; the kernels of the same name
/// are in `CKernels`.
package protocol Operation {
  /// The vectors of the same step that it needs.
  var operands: [NodeID] { get }
  /// The same operation of other vectors.
  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation
  /// The matrix that it reads or updates, if any.
  var memory: MemoryReference? { get }
  /// The history that it reads or updates, if any.
  var history: Int? { get }
  /// Numbers that it carries from step to step beside vectors and matrices.
  func stateSize(_ node: NodeID, _ plan: PlanBuilder) -> Int
  /// Whether it has parameters of its own.
  var hasParameters: Bool { get }
  /// Whether the derivative needs the gradient of the node at other steps than its own.
  func keepsGradient(_ plan: PlanBuilder) -> Bool
  /// Emits the calls that compute the value of `node`.
  func forward(_ node: NodeID, _ plan: PlanBuilder)
  /// Emits the calls that add what the gradient of `node` gives to its operands and parameters.
  func backward(_ node: NodeID, _ plan: PlanBuilder)
}

extension Operation {
  package var memory: MemoryReference? { nil }
  package var history: Int? { nil }
  package func stateSize(_ node: NodeID, _ plan: PlanBuilder) -> Int { 0 }
  package var hasParameters: Bool { false }
  package func keepsGradient(_ plan: PlanBuilder) -> Bool { false }
}
