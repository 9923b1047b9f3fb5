extension StepGraph {
  /// The graph with sums of sums and products written as one sum each, and every carried value a
  /// node of its own.
  ///
  /// A sum or product that only another sum uses dissolves into it, so that all accumulates where
  /// the result stands. Always runs: the other passes rely on it.
  func flattened() -> StepGraph {
    var graph = self
    for state in graph.vectorStates.indices {
      guard let next = graph.vectorStates[state].next, graph.needsCopyToBeCarried(next) else {
        continue
      }
      graph.nodes.append(
        .init(
          operation: Sum(terms: [.vector(next)]), size: graph.nodes[next].size, isReadout: false))
      graph.vectorStates[state].next = graph.nodes.count - 1
    }
    var uses = [Int](repeating: 0, count: graph.nodes.count)
    for node in graph.nodes { for operand in node.operation.operands { uses[operand] += 1 } }
    let kept = Set(graph.vectorStates.compactMap(\.next) + [graph.output].compactMap { $0 })
    for node in graph.nodes.indices {
      guard var sum = graph.nodes[node].operation as? Sum else { continue }
      sum.terms = sum.terms.flatMap { term -> [Sum.Term] in
        guard case .vector(let operand) = term, uses[operand] == 1, !kept.contains(operand),
          let terms = graph.nodes[operand].operation.termsOfSum
        else { return [term] }
        graph.nodes[operand].operation = Sum(terms: [])
        return terms
      }
      graph.nodes[node].operation = sum
    }
    return graph
  }

  /// A carried value needs storage with a slot for the initial value.
  private func needsCopyToBeCarried(_ node: NodeID) -> Bool {
    switch nodes[node].operation {
    case is PreviousValue, is Input, is Lookup, is Constant: true
    case let slice as Slice: needsCopyToBeCarried(slice.operand)
    default: vectorStates.filter { $0.next == node }.count > 1
    }
  }
}

extension Operation {
  /// What a sum of this alone consists of, where it can dissolve into a sum.
  fileprivate var termsOfSum: [Sum.Term]? {
    switch self {
    case let sum as Sum: sum.terms
    case let product as Product: [.product(product.a, product.b)]
    default: nil
    }
  }
}
