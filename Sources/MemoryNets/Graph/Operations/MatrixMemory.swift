/// The update of a carried matrix, A' = sum of `c A` and `c u v^T`, elementwise in c.
///
/// In matrix form dA is carried back in place: the derivative of the outer products is taken from
/// dL/dA', then the decays turn it into dL/dA. As a history nothing is computed here, and the
/// derivative is gathered from the later reads.
struct MatrixUpdate: Operation {
  let state: Int
  let columns: Int
  let terms: [Matrix.Term]

  var operands: [NodeID] {
    terms.flatMap { term -> [NodeID] in
      guard case .outer(let u, let v, _) = term else { return [] }
      return u == v ? [u] : [u, v]
    }
  }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    let terms = terms.map { term -> Matrix.Term in
      guard case .outer(let u, let v, let coefficient) = term else { return term }
      return .outer(replace(u), replace(v), coefficient)
    }
    return MatrixUpdate(state: state, columns: columns, terms: terms)
  }

  var memory: MemoryReference? { .previous(state) }

  var hasParameters: Bool {
    terms.contains { term in
      switch term {
      case .carry(_, .parameter), .outer(_, _, .parameter): true
      default: false
      }
    }
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    guard plan.histories[state] == nil else { return }
    let updated = plan.layout.matrix(.updated(state))
    let size = plan.graph.matrixStates[state].size
    var isWritten = false
    for term in terms {
      guard case .carry(let reference, let coefficient) = term else { continue }
      precondition(!isWritten && reference == .previous(state), "a matrix carries itself, once")
      let (constant, weight) = plan.coefficient(coefficient)
      plan.emit(
        \.matrix_decay, [updated, plan.layout.matrix(reference), weight], sizes: [size],
        scalars: [constant])
      isWritten = true
    }
    for term in terms {
      guard case .outer(let u, let v, let coefficient) = term else { continue }
      let (constant, weight) = plan.coefficient(coefficient)
      plan.emit(
        \.matrix_write, [updated, plan.value(u), plan.value(v), weight],
        sizes: [size / columns, columns, isWritten ? 1 : 0], scalars: [constant])
      isWritten = true
    }
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    if let history = plan.histories[state] {
      gather(history, plan)
      return
    }
    let gradient = plan.layout.matrixGradient(state)
    let size = plan.graph.matrixStates[state].size
    plan.clearBeforeBackward(gradient, size)
    for term in terms {
      guard case .outer(let u, let v, let coefficient) = term else { continue }
      let (constant, weight) = plan.coefficient(coefficient)
      plan.emit(
        \.matrix_write_backward,
        [
          gradient, plan.value(u), plan.value(v), weight, plan.addedContribution(to: u),
          plan.addedContribution(to: v), plan.laneSums(coefficient),
        ], sizes: [size / columns, columns], scalars: [constant])
    }
    for term in terms {
      guard case .carry(let reference, let coefficient) = term else { continue }
      let (constant, weight) = plan.coefficient(coefficient)
      plan.emit(
        \.matrix_decay_backward,
        [gradient, plan.layout.matrix(reference), weight, plan.laneSums(coefficient)],
        sizes: [size], scalars: [constant])
    }
  }

  private func gather(_ history: HistoryForm, _ plan: PlanBuilder) {
    for (node, content) in plan.graph.nodes.enumerated() {
      guard let read = content.operation as? MatrixRead, read.state == state else { continue }
      // Of later steps, so complete whatever this step's part of the plan has emitted so far.
      let dy = plan.layout.gradient(node)
      let caches = read.scores(node, plan)
      let sources = [(history.u, dy, caches.a), (history.v, plan.value(read.vector), caches.da)]
      for (write, other, scores) in sources {
        guard let share = plan.contribution(to: write) else { continue }
        plan.emit(
          \.history_gather, [share.address, other, scores],
          sizes: [plan.size(write), read.lag, share.adds ? 1 : 0, plan.options.maximumSteps])
      }
    }
  }
}

/// y = A s:   dA += dy s^T,   ds += A^T dy; or the same through the history of writes.
struct MatrixRead: Operation {
  let source: MemoryReference
  let vector: NodeID
  let columns: Int
  var operands: [NodeID] { [vector] }
  var memory: MemoryReference? { source }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    MatrixRead(source: source, vector: replace(vector), columns: columns)
  }

  var state: Int {
    switch source {
    case .previous(let state), .updated(let state): state
    }
  }

  /// How many steps ago the newest write is that the read sees.
  var lag: Int {
    if case .previous = source { return 1 }
    return 0
  }

  /// As a history: what each past write counts in the read, and the gradient of that.
  func scores(_ node: NodeID, _ plan: PlanBuilder) -> (a: Address, da: Address) {
    let steps = plan.options.maximumSteps
    return (plan.cache(node, "a", steps), plan.cache(node, "da", steps))
  }

  func keepsGradient(_ plan: PlanBuilder) -> Bool { plan.histories[state] != nil }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    let (y, s) = (plan.value(node), plan.value(vector))
    if let history = plan.histories[state] {
      plan.emit(
        \.history_read,
        [y, s, plan.value(history.u), plan.value(history.v), scores(node, plan).a],
        sizes: [plan.size(node), columns, lag], scalars: [history.decay, history.rate])
    } else {
      plan.emit(
        \.matrix_read, [y, plan.layout.matrix(source), s], sizes: [plan.size(node), columns])
    }
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    if let history = plan.histories[state] {
      let share = plan.contribution(to: vector) ?? (plan.scratch(columns), false)
      plan.emit(
        \.history_read_backward,
        [
          share.address, dy, plan.value(history.u), plan.value(history.v), scores(node, plan).da,
        ], sizes: [plan.size(node), columns, lag, share.adds ? 1 : 0],
        scalars: [history.decay, history.rate])
    } else {
      plan.emit(
        \.matrix_read_backward,
        [
          plan.layout.matrixGradient(state), plan.layout.matrix(source), plan.value(vector), dy,
          plan.addedContribution(to: vector),
        ], sizes: [plan.size(node), columns])
    }
  }
}

extension PlanBuilder {
  /// A coefficient as the kernels take it: the constant, and the parameter that stands for it.
  fileprivate func coefficient(_ coefficient: Matrix.Coefficient) -> (Double, Address) {
    switch coefficient {
    case .constant(let constant): (constant, .none)
    case .parameter(let id): (0, parameter(id))
    }
  }

  fileprivate func laneSums(_ coefficient: Matrix.Coefficient) -> Address {
    guard case .parameter(let id) = coefficient else { return .none }
    return laneSums(id)
  }

  /// Where a kernel that only adds puts its share; zeroed first if nothing was there.
  fileprivate func addedContribution(to node: NodeID) -> Address {
    guard let share = contribution(to: node) else { return scratch(size(node)) }
    if !share.adds { emit(\.fill, [share.address], sizes: [size(node)]) }
    return share.address
  }
}
