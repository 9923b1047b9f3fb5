/// Nodes that run together: for each step in turn, all of them.
struct GraphSegment {
  /// In the order in which they are computed within a step.
  var nodes: [NodeID]
  /// Whether they run for the last step only.
  var isLastStepOnly: Bool
  /// Whether they form a recurrence.
  var isLoop: Bool
  /// Whether they run over the flat rows of the batch instead of the steps of a tile.
  var isFlat = false
}

extension StepGraph {
  /// The order of execution.
  ///
  /// The strongly connected components of the step, with an edge back in time for what is carried,
  /// are its recurrences: each is a loop over the steps. Everything else, inputs before, read-out
  /// after, the input products of a second layer in between, runs for all steps at once. A sum in
  /// a loop that has terms from outside is split, so that these are summed beforehand. Without
  /// `hoist` there is one loop of everything but the read-out of a model that answers once.
  mutating func segments(
    hoist: Bool, histories: [Int: HistoryForm], lastStepOnly: Bool
  ) -> [GraphSegment] {
    let isLast = { (graph: StepGraph, node: NodeID) in lastStepOnly && graph.nodes[node].isReadout }
    guard hoist else {
      let live = liveNodes()
      return [
        GraphSegment(
          nodes: live.filter { !isLast(self, $0) }, isLastStepOnly: false, isLoop: true),
        GraphSegment(nodes: live.filter { isLast(self, $0) }, isLastStepOnly: true, isLoop: false),
      ]
    }
    splitSums(components(histories))
    var segments: [GraphSegment] = []
    for component in withLookups(components(histories)) {
      let isLoop = component.count > 1 || laggedDependencies(of: component[0]) == component
      let last = isLast(self, component[0])
      if !isLoop, let previous = segments.last, !previous.isLoop, previous.isLastStepOnly == last {
        segments[segments.count - 1].nodes += component
      } else {
        segments.append(
          GraphSegment(nodes: component, isLastStepOnly: last, isLoop: isLoop))
      }
    }
    return segments
  }

  /// The components with each lookup in the one that uses it, if that is one alone: a lookup costs
  /// nothing but memory, and is still near where it is used at once.
  private func withLookups(_ components: [[NodeID]]) -> [[NodeID]] {
    var users: [NodeID: Set<Int>] = [:]
    for (c, component) in components.enumerated() {
      for node in component {
        for operand in dependencies(of: node) { users[operand, default: []].insert(c) }
      }
    }
    var moved: [Int: [NodeID]] = [:]
    for component in components {
      guard component.count == 1, let target = users[component[0]]?.first,
        users[component[0]]?.count == 1, components[target].count > 1,
        nodes[component[0]].operation is Lookup || nodes[component[0]].operation is FoldedLookup
      else { continue }
      moved[target, default: []] += component
    }
    let gone = Set(moved.values.joined())
    return components.enumerated().compactMap { c, component in
      gone.contains(component[0]) ? nil : (moved[c] ?? []) + component
    }
  }

  /// Puts the terms of a sum in a loop that come from outside the loop into a sum of their own.
  private mutating func splitSums(_ components: [[NodeID]]) {
    var componentOf: [NodeID: Int] = [:]
    for (c, component) in components.enumerated() {
      for node in component { componentOf[node] = c }
    }
    for component in components where component.count > 1 {
      for node in component {
        guard let sum = nodes[node].operation as? Sum else { continue }
        let outside = sum.terms.filter { term in
          term.operands.allSatisfy { componentOf[$0] != componentOf[node] }
        }
        guard outside.count < sum.terms.count, outside.contains(where: \.hasParameters),
          outside.contains(where: { !$0.operands.isEmpty })
        else { continue }
        nodes.append(
          Node(operation: Sum(terms: outside), size: nodes[node].size, isReadout: false))
        let inside = sum.terms.filter { term in !outside.contains(term) }
        nodes[node].operation = Sum(terms: [.vector(nodes.count - 1)] + inside)
      }
    }
  }

  /// The nodes that the output or a carried value depends on, in the order of a step.
  private func liveNodes() -> [NodeID] {
    inOrder(components([:]).flatMap { $0 })
  }

  /// The strongly connected components of the live nodes, each after those that it depends on
  /// (Tarjan 1972, "Depth-first search and linear graph algorithms").
  private func components(_ histories: [Int: HistoryForm]) -> [[NodeID]] {
    var reads: [Int: [NodeID]] = [:]
    for node in nodes.indices {
      guard let memory = readMemory(of: node) else { continue }
      reads[memory.state, default: []].append(node)
    }
    func edges(_ node: NodeID) -> [NodeID] {
      var edges = dependencies(of: node) + laggedDependencies(of: node)
      // The gradient of a matrix is carried back in place: its reads belong into its loop.
      if let memory = nodes[node].operation.memory, matrixStates[memory.state].update == node,
        histories[memory.state] == nil
      {
        edges += reads[memory.state] ?? []
      }
      if nodes[node].operation.history != nil { edges += readers(beforeUpdate: node) }
      return edges
    }

    var index = [Int?](repeating: nil, count: nodes.count)
    var low = [Int](repeating: 0, count: nodes.count)
    var isOnStack = [Bool](repeating: false, count: nodes.count)
    var stack: [NodeID] = []
    var found: [[NodeID]] = []
    var counter = 0

    func visit(_ node: NodeID) {
      index[node] = counter
      low[node] = counter
      counter += 1
      stack.append(node)
      isOnStack[node] = true
      for other in edges(node) {
        if index[other] == nil {
          visit(other)
          low[node] = min(low[node], low[other])
        } else if isOnStack[other] {
          low[node] = min(low[node], index[other] ?? 0)
        }
      }
      guard low[node] == index[node] else { return }
      var component: [NodeID] = []
      while let member = stack.popLast() {
        isOnStack[member] = false
        component.append(member)
        if member == node { break }
      }
      found.append(inOrder(component))
    }

    let roots =
      vectorStates.compactMap(\.next) + matrixStates.compactMap(\.update)
      + [output, observed].compactMap { $0 }
    for root in roots where index[root] == nil { visit(root) }
    return found
  }

  /// The members of a component in an order that respects what a step needs of itself.
  private func inOrder(_ component: [NodeID]) -> [NodeID] {
    let members = Set(component)
    var done: Set<NodeID> = []
    var order: [NodeID] = []
    func visit(_ node: NodeID) {
      guard members.contains(node), done.insert(node).inserted else { return }
      for other in dependencies(of: node) { visit(other) }
      // What reads the old matrix comes first, so that its gradient does so last.
      for other in readers(beforeUpdate: node) { visit(other) }
      order.append(node)
    }
    for node in component.sorted() { visit(node) }
    return order
  }
}
