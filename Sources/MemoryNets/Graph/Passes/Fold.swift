extension StepGraph {
  /// The graph with linear maps of tokens read from tables over the vocabulary.
  ///
  /// W E[token] + b is row `token` of T = E W^T + b, which is made once a batch; for one-hot tokens
  /// E is the identity. Cheaper where the vocabulary is smaller than the tokens of a tile. Holds for
  /// linear maps alone: what is dropped out of an embedding differs from token to token.
  mutating func foldInputs(maximumSteps: Int, lanes: Int) {
    var uses: [NodeID: [NodeID]] = [:]
    for (node, content) in nodes.enumerated() {
      for operand in content.operation.operands { uses[operand, default: []].append(node) }
    }
    for input in nodes.indices {
      guard let source = tokenSource(input), source.vocabulary < maximumSteps * lanes,
        !vectorStates.contains(where: { $0.next == input }), output != input,
        let users = uses[input], users.allSatisfy({ isLinear(of: input, $0) })
      else { continue }
      for user in Set(users).sorted() { fold(input, source, into: user) }
      nodes[input].operation = Sum(terms: [])
    }
  }

  /// The vocabulary and embedding of a node that stands for tokens.
  private func tokenSource(_ node: NodeID) -> (vocabulary: Int, embedding: ParameterID?)? {
    switch nodes[node].operation {
    case let lookup as Lookup: (parameters[lookup.table].shape[0], lookup.table)
    case let input as Input where input.source == .oneHot: (nodes[node].size, nil)
    default: nil
    }
  }

  private func isLinear(of input: NodeID, _ node: NodeID) -> Bool {
    guard let sum = nodes[node].operation as? Sum else { return false }
    return sum.terms.allSatisfy { term in
      if case .linear(let weight, _) = term, parameters[weight].isTrained { return true }
      return !term.operands.contains(input)
    }
  }

  /// Takes the products with `input`, and with the first of them the biases, out of a sum.
  private mutating func fold(
    _ input: NodeID, _ source: (vocabulary: Int, embedding: ParameterID?), into node: NodeID
  ) {
    guard let sum = nodes[node].operation as? Sum else { return }
    var rest: [Sum.Term] = []
    var folded: [ParameterID] = []
    var bias: ParameterID?
    for term in sum.terms {
      switch term {
      case .linear(let weight, input): folded.append(weight)
      case .bias(let id) where bias == nil: bias = id
      default: rest.append(term)
      }
    }
    for weight in folded {
      let table = FoldedLookup(
        weight: weight, embedding: source.embedding, bias: bias, vocabulary: source.vocabulary)
      bias = nil
      if folded.count == 1 && rest.isEmpty {
        nodes[node].operation = table
        return
      }
      nodes.append(
        Node(operation: table, size: nodes[node].size, isReadout: nodes[node].isReadout))
      rest.insert(.vector(nodes.count - 1), at: 0)
    }
    nodes[node].operation = Sum(terms: rest)
  }
}
