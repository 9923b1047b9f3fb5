/// y = sum of W x, of biases, of vectors and of products a b, element by element: every linear map
/// of a cell, and its gated sums.
///
///     dx += W^T dy,   dW += dy x^T,   db += dy,   da += dy b,   and dy to every vector
///
/// Products accumulate in y; a term that nothing else uses gives its storage to y, and shares y's
/// gradient, so that it costs nothing.
struct Sum: Operation {
  enum Term: Equatable {
    case vector(NodeID)
    case linear(ParameterID, NodeID)
    case bias(ParameterID)
    case product(NodeID, NodeID)

    var operands: [NodeID] {
      switch self {
      case .vector(let node), .linear(_, let node): [node]
      case .bias: []
      case .product(let a, let b): [a, b]
      }
    }

    var hasParameters: Bool {
      switch self {
      case .linear, .bias: true
      case .vector, .product: false
      }
    }
  }

  var terms: [Term]
  var operands: [NodeID] { terms.flatMap(\.operands) }
  var hasParameters: Bool { terms.contains(where: \.hasParameters) }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    let terms = terms.map { term -> Term in
      switch term {
      case .vector(let node): .vector(replace(node))
      case .linear(let weight, let node): .linear(weight, replace(node))
      case .bias: term
      case .product(let a, let b): .product(replace(a), replace(b))
      }
    }
    return Sum(terms: terms)
  }

  var vectors: [NodeID] {
    terms.compactMap { if case .vector(let node) = $0 { node } else { nil } }
  }

  var weights: [ParameterID] { maps.map(\.weight) }

  private var products: [(a: NodeID, b: NodeID)] {
    terms.compactMap { if case .product(let a, let b) = $0 { (a, b) } else { nil } }
  }

  private var maps: [(weight: ParameterID, operand: NodeID)] {
    terms.compactMap { if case .linear(let weight, let node) = $0 { (weight, node) } else { nil } }
  }

  private var biases: [ParameterID] {
    terms.compactMap { if case .bias(let bias) = $0 { bias } else { nil } }
  }

  func keepsGradient(_ plan: PlanBuilder) -> Bool {
    hasParameters && plan.options.isEnabled(.defer)
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    let y = plan.value(node)
    let size = plan.size(node)
    var pending = vectors
    var isWritten = false
    if let accumulator = plan.layout.accumulator(of: node) {
      pending.removeAll { $0 == accumulator }
      isWritten = true
    }
    if !isWritten && pending.count >= 2 {
      plan.emit(\.add, [y, plan.value(pending[0]), plan.value(pending[1])], sizes: [size])
      pending.removeFirst(2)
      isWritten = true
    }
    for term in pending {
      plan.emit(\.copy, [y, plan.value(term)], sizes: [size, isWritten ? 1 : 0])
      isWritten = true
    }
    for (a, b) in products {
      plan.emit(
        \.multiply, [y, plan.value(a), plan.value(b)], sizes: [size, isWritten ? 1 : 0])
      isWritten = true
    }
    var biases = biases
    for (weight, x) in maps {
      let fused = !isWritten && !biases.isEmpty ? plan.parameter(biases.removeFirst()) : .none
      plan.emitProduct(weight, isTransposed: false, of: plan.value(x), fused, to: (y, isWritten))
      isWritten = true
    }
    for bias in biases {
      plan.emit(\.bias, [y, plan.parameter(bias)], sizes: [size, isWritten ? 1 : 0])
      isWritten = true
    }
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    let size = plan.size(node)
    for term in vectors
    where plan.layout.gradientRoot(term).root != plan.layout.gradientRoot(node).root
      || plan.layout.gradientRoot(term).lag > 0
    {
      guard let share = plan.contribution(to: term) else { continue }
      plan.emit(\.copy, [share.address, dy], sizes: [size, share.adds ? 1 : 0])
    }
    for (a, b) in products {
      for (factor, other) in [(a, b), (b, a)] {
        guard let share = plan.contribution(to: factor) else { continue }
        plan.emit(
          \.multiply, [share.address, dy, plan.value(other)],
          sizes: [size, share.adds ? 1 : 0])
      }
    }
    for (weight, x) in maps {
      if let share = plan.contribution(to: x) {
        plan.emitProduct(weight, isTransposed: true, of: dy, .none, to: share)
      }
      if plan.hasGradient(weight) {
        plan.emitProductGradient(weight, dy, plan.value(x), of: node)
      }
    }
    for bias in biases {
      plan.emitBiasGradient(bias, dy, size, of: node)
    }
  }
}
