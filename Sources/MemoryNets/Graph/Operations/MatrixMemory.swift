import CKernels

/// The update of a carried matrix, A' = C * A + sum of c * u v^T, elementwise in C and c.
///
/// In matrix form dA is carried back in place: the derivative of the outer products is taken from
/// dL/dA', then a pass over dA turns it into dL/dA; where the old matrix is read in the same loop,
/// it is the pass of that read. As a history nothing is computed here, and the derivative is
/// gathered from the later reads.
struct MatrixUpdate: Operation {
  let state: Int
  let rows: Int
  let columns: Int
  private(set) var carry: Carry
  private(set) var writes: [Write]

  /// C = offset + constant learned row column, elementwise, as far as given, or
  /// C = offset + constant tanh(row column).
  struct Carry {
    var offset = 0.0
    var constant = 0.0
    var learned: ParameterID?
    var row: NodeID?
    /// Whether `row` is one number for all rows.
    var isScalar = false
    var column: NodeID?
    var isSquashed = false

    var isConstant: Bool { learned == nil && row == nil && column == nil }
    var gates: [NodeID] { [row, column].compactMap { $0 } }
  }

  /// c * u v^T, elementwise in c = constant learned.
  struct Write {
    var u: NodeID
    var v: NodeID
    let constant: Double
    let learned: ParameterID?
  }

  init(state: Int, becomes value: Matrix) {
    self.state = state
    rows = value.rows
    columns = value.columns
    var carry = Carry()
    var writes: [Write] = []
    for term in value.terms {
      switch term {
      case .outer(let u, let v, let c):
        writes.append(.init(u: u.node, v: v.node, constant: c.constant, learned: c.learned))
      case .carry(let reference, let c):
        precondition(reference == .previous(state), "a matrix carries itself")
        guard !c.isConstant else {
          carry.offset += c.constant
          continue
        }
        precondition(carry.isConstant, "one carried term with a parameter or gates")
        carry.constant = c.constant
        carry.learned = c.learned
        carry.row = c.row?.node
        carry.isScalar = c.row?.size == 1 && value.rows > 1
        carry.column = c.column?.node
        carry.isSquashed = c.isSquashed
      }
    }
    self.carry = carry
    self.writes = writes
  }

  var operands: [NodeID] {
    let all = carry.gates + writes.flatMap { [$0.u, $0.v] }
    return all.enumerated().filter { all.firstIndex(of: $1) == $0 }.map(\.1)
  }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    var copy = self
    copy.carry.row = carry.row.map(replace)
    copy.carry.column = carry.column.map(replace)
    for i in writes.indices {
      copy.writes[i].u = replace(writes[i].u)
      copy.writes[i].v = replace(writes[i].v)
    }
    return copy
  }

  var memory: MemoryReference? { .previous(state) }

  var hasParameters: Bool {
    carry.learned != nil || writes.contains { $0.learned != nil }
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    guard plan.histories[state] == nil else { return }
    let updated = plan.layout.matrix(.updated(state))
    let first = writes.first
    plan.emit(
      \.matrix_update,
      [
        updated, plan.layout.matrix(.previous(state)), plan.parameter(carry.learned),
        plan.value(carry.row), plan.value(carry.column), plan.value(first?.u),
        plan.value(first?.v), plan.parameter(first?.learned),
      ], sizes: [rows, columns, carry.isScalar ? 0 : 1, carry.isSquashed ? 1 : 0],
      scalars: [carry.constant, carry.offset, first?.constant ?? 0])
    for write in writes.dropFirst() {
      plan.emit(
        \.matrix_write,
        [updated, plan.value(write.u), plan.value(write.v), plan.parameter(write.learned)],
        sizes: [rows, columns], scalars: [write.constant])
    }
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    if let history = plan.histories[state] {
      gather(history, plan)
      return
    }
    let gradient = plan.layout.matrixGradient(state)
    plan.clearBeforeBackward(gradient, rows * columns)
    for write in writes {
      plan.emit(
        \.matrix_write_backward,
        [
          gradient, plan.value(write.u), plan.value(write.v), plan.parameter(write.learned),
          plan.addedContribution(to: write.u), plan.addedContribution(to: write.v),
          plan.parameterGradient(write.learned),
        ] + (plan.waitingReads[state] ?? []), sizes: [rows, columns], scalars: [write.constant])
    }
    if plan.readsBefore(update: node, of: state), !plan.dependOnReads(carry.gates, of: state) {
      plan.pendingCarries[state] = self
    } else {
      carryBackward(plan, read: nil)
    }
  }

  /// One pass over dA: dL/dA' becomes dL/dA, and the read adds its part.
  func carryBackward(_ plan: PlanBuilder, read: MatrixRead.Derivative?) {
    plan.emit(
      \.matrix_carry_backward,
      [
        plan.layout.matrixGradient(state), plan.layout.matrix(.previous(state)),
        plan.parameter(carry.learned), plan.parameterGradient(carry.learned),
        plan.value(carry.row), plan.addedContribution(to: carry.row),
        plan.value(carry.column), plan.addedContribution(to: carry.column),
      ] + (read?.operands ?? .init(repeating: .none, count: 3))
        + (plan.waitingReads.removeValue(forKey: state) ?? []),
      sizes: [
        rows, columns, carry.isScalar ? 0 : 1, 1, read?.isTransposed == true ? 1 : 0,
        carry.isSquashed ? 1 : 0,
      ],
      scalars: [carry.constant, carry.offset])
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
          \.history_gather,
          [share.address, other, scores, plan.scratch(Int(MS_GATHERED) * plan.size(write))],
          sizes: [plan.size(write), read.lag, share.adds ? 1 : 0, plan.historyWrites])
      }
    }
  }
}

/// y = A s:   dA += dy s^T,   ds += A^T dy;   or y = A^T s:   dA += s dy^T,   ds += A dy.
///
/// The former also through the history of writes.
struct MatrixRead: Operation {
  /// What a pass over dA needs of a read: the factors of what is added to dA, and ds.
  struct Derivative {
    let operands: [Address]
    let isTransposed: Bool
  }

  let source: MemoryReference
  let vector: NodeID
  let rows: Int
  let columns: Int
  let isTransposed: Bool
  var operands: [NodeID] { [vector] }
  var memory: MemoryReference? { source }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    MatrixRead(
      source: source, vector: replace(vector), rows: rows, columns: columns,
      isTransposed: isTransposed)
  }

  var state: Int { source.state }

  /// How many steps ago the newest write is that the read sees.
  var lag: Int {
    if case .previous = source { return 1 }
    return 0
  }

  /// As a history: what each past write counts in the read, and the gradient of that.
  func scores(_ node: NodeID, _ plan: PlanBuilder) -> (a: Address, da: Address) {
    let writes = plan.historyWrites
    return (plan.cache(node, "a", writes), plan.cache(node, "da", writes))
  }

  /// Later reads need it of a history, and the update of a matrix once it waits.
  func keepsGradient(_ plan: PlanBuilder) -> Bool { plan.histories[state] != nil || lag == 0 }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    let (y, s) = (plan.value(node), plan.value(vector))
    if let history = plan.histories[state] {
      plan.emit(
        \.history_read,
        [y, s, plan.value(history.u), plan.value(history.v), scores(node, plan).a],
        sizes: [plan.size(node), columns, lag], scalars: [history.decay, history.rate])
    } else {
      plan.emit(
        isTransposed ? \.matrix_read_transposed : \.matrix_read,
        [y, plan.layout.matrix(source), s], sizes: [rows, columns, 0])
    }
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    var update: MatrixUpdate?
    if case .previous = source { update = plan.pendingCarries.removeValue(forKey: state) }
    guard let dy = plan.gradient(node) else {
      update?.carryBackward(plan, read: nil)
      return
    }
    if let history = plan.histories[state] {
      let share = plan.contribution(to: vector) ?? (plan.scratch(columns), false)
      plan.emit(
        \.history_read_backward,
        [
          share.address, dy, plan.value(history.u), plan.value(history.v), scores(node, plan).da,
        ], sizes: [plan.size(node), columns, lag, share.adds ? 1 : 0],
        scalars: [history.decay, history.rate])
      return
    }
    let s = plan.value(vector)
    let factors = isTransposed ? [s, dy] : [dy, s]
    if case .updated = source, plan.waitingReads[state] == nil,
      plan.isUpdated(state, inSegmentOf: node)
    {
      // The passes over dA that the update makes next add left right^T; here only ds is left.
      plan.waitingReads[state] = factors
      guard let share = plan.contribution(to: vector) else { return }
      plan.emit(
        isTransposed ? \.matrix_read : \.matrix_read_transposed,
        [share.address, plan.layout.matrix(source), dy],
        sizes: [rows, columns, share.adds ? 1 : 0])
      return
    }
    let derivative = Derivative(
      operands: factors + [plan.addedContribution(to: vector)],
      isTransposed: isTransposed)
    if let update {
      update.carryBackward(plan, read: derivative)
      return
    }
    let none = [Address](repeating: .none, count: 6)
    plan.emit(
      \.matrix_carry_backward,
      [plan.layout.matrixGradient(state), plan.layout.matrix(source)] + none + derivative.operands,
      sizes: [rows, columns, 0, 0, isTransposed ? 1 : 0])
  }
}

extension PlanBuilder {
  /// Writes that a read has scores for: those that are gathered together are whole in number.
  var historyWrites: Int {
    let together = Int(MS_GATHERED)
    return (options.maximumSteps + together - 1) / together * together
  }

  fileprivate func parameter(_ id: ParameterID?) -> Address { id.map { parameter($0) } ?? .none }

  fileprivate func parameterGradient(_ id: ParameterID?) -> Address {
    id.map { parameterGradient($0) } ?? .none
  }

  fileprivate func value(_ node: NodeID?) -> Address { node.map { value($0) } ?? .none }

  fileprivate func addedContribution(to node: NodeID?) -> Address {
    node.map { addedContribution(to: $0) } ?? .none
  }

  /// Where a kernel that only adds puts its share; zeroed first if nothing was there.
  func addedContribution(to node: NodeID) -> Address {
    guard let share = contribution(to: node) else { return scratch(size(node)) }
    if !share.adds { emit(\.fill, [share.address], sizes: [size(node)]) }
    return share.address
  }

  /// Whether the update of a matrix runs in the segment of `node`.
  fileprivate func isUpdated(_ state: Int, inSegmentOf node: NodeID) -> Bool {
    graph.matrixStates[state].update.map { segmentOf[$0] == segmentOf[node] } ?? false
  }

  /// Whether the old matrix is read before its update in the same segment.
  fileprivate func readsBefore(update: NodeID, of state: Int) -> Bool {
    segments[segmentOf[update]].nodes.prefix { $0 != update }.contains { node in
      graph.readMemory(of: node) == .previous(state)
    }
  }

  /// Whether nodes depend on reads of the old matrix at the same step: then the derivative of these
  /// reads needs that of the gates, and cannot share the carry's pass over dA.
  fileprivate func dependOnReads(_ nodes: [NodeID], of state: Int) -> Bool {
    var pending = nodes
    var seen = Set(nodes)
    while let node = pending.popLast() {
      if graph.readMemory(of: node) == .previous(state) { return true }
      pending += graph.nodes[node].operation.operands.filter { seen.insert($0).inserted }
    }
    return false
  }

  /// Passes over dA for the update of a matrix, if that was left to a read of the old one.
  func finishPendingCarry(of source: MemoryReference) {
    guard case .previous(let state) = source else { return }
    pendingCarries.removeValue(forKey: state)?.carryBackward(self, read: nil)
  }
}
