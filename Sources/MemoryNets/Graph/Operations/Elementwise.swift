/// y = a b, element by element:   da += dy b,   db += dy a.
struct Product: Operation {
  let a: NodeID
  let b: NodeID
  var operands: [NodeID] { [a, b] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Product(a: replace(a), b: replace(b))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.multiply, [plan.value(node), plan.value(a), plan.value(b)], sizes: [plan.size(node), 0])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    for (factor, other) in [(a, b), (b, a)] {
      guard let share = plan.contribution(to: factor) else { continue }
      plan.emit(
        \.multiply, [share.address, dy, plan.value(other)],
        sizes: [plan.size(node), share.adds ? 1 : 0])
    }
  }
}

/// y = scale a + shift:   da += scale dy.
struct Affine: Operation {
  let operand: NodeID
  let scale: Double
  let shift: Double
  var operands: [NodeID] { [operand] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Affine(operand: replace(operand), scale: scale, shift: shift)
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.affine, [plan.value(node), plan.value(operand)], sizes: [plan.size(node)],
      scalars: [scale, shift])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node), let share = plan.contribution(to: operand) else { return }
    plan.emit(
      \.scale, [share.address, dy], sizes: [plan.size(node), share.adds ? 1 : 0],
      scalars: [scale])
  }
}

/// y = f(a):   da += dy f'(a), with f' in terms of y.
///
///     relu' = [y > 0],   tanh' = 1 - y^2,   sigmoid' = y (1 - y),   exp' = y,   log' = e^-y
///     softplus' = 1 - e^-y,   (ELU + 1)' = min(y, 1),   sqrt' = 1 / (2 y),   (1 / a)' = -y^2
struct Activation: Operation {
  enum Kind {
    case relu, tanh, sigmoid, exp, log, softplus, eluPlusOne, sqrt, reciprocal

    var kernels: (forward: Plan.Kernel, backward: Plan.Kernel) {
      switch self {
      case .relu: (\.relu, \.relu_backward)
      case .tanh: (\.tanh, \.tanh_backward)
      case .sigmoid: (\.sigmoid, \.sigmoid_backward)
      case .exp: (\.exp, \.exp_backward)
      case .log: (\.log, \.log_backward)
      case .softplus: (\.softplus, \.softplus_backward)
      case .eluPlusOne: (\.elu_plus_one, \.elu_plus_one_backward)
      case .sqrt: (\.sqrt, \.sqrt_backward)
      case .reciprocal: (\.reciprocal, \.reciprocal_backward)
      }
    }
  }

  let kind: Kind
  let operand: NodeID
  var operands: [NodeID] { [operand] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Activation(kind: kind, operand: replace(operand))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      kind.kernels.forward, [plan.value(node), plan.value(operand)], sizes: [plan.size(node)])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node), let share = plan.contribution(to: operand) else { return }
    plan.emit(
      kind.kernels.backward, [share.address, dy, plan.value(node)],
      sizes: [plan.size(node), share.adds ? 1 : 0])
  }
}

/// y = max(a, b), element by element:   dy goes to the larger, to a where they are equal.
struct Maximum: Operation {
  let a: NodeID
  let b: NodeID
  var operands: [NodeID] { [a, b] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Maximum(a: replace(a), b: replace(b))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.maximum, [plan.value(node), plan.value(a), plan.value(b)], sizes: [plan.size(node)])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    for (i, (factor, other)) in [(a, b), (b, a)].enumerated() {
      guard let share = plan.contribution(to: factor) else { continue }
      plan.emit(
        \.maximum_backward, [share.address, dy, plan.value(factor), plan.value(other)],
        sizes: [plan.size(node), share.adds ? 1 : 0, i])
    }
  }
}

/// y = the operands one after the other:   each gets its part of dy.
struct Concatenation: Operation {
  let operands: [NodeID]
  let sizes: [Int]

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Concatenation(operands: operands.map(replace), sizes: sizes)
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    var offset = 0
    for (operand, size) in zip(operands, sizes) {
      plan.emit(
        \.copy, [plan.value(node).advanced(features: offset), plan.value(operand)],
        sizes: [size, 0])
      offset += size
    }
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    var offset = 0
    for (operand, size) in zip(operands, sizes) {
      if let share = plan.contribution(to: operand) {
        plan.emit(
          \.copy, [share.address, dy.advanced(features: offset)],
          sizes: [size, share.adds ? 1 : 0])
      }
      offset += size
    }
  }
}

/// y = a mask with mask 0 or 1 / (1 - p) at random:   da += dy mask.
///
/// Srivastava et al., "Dropout", 2014, in the inverted form: nothing happens outside training. Locked, the
/// mask of a sequence is the same at all steps of a batch: Gal and Ghahramani 2016, arXiv:1512.05287.
struct Dropout: Operation {
  let operand: NodeID
  let probability: Double
  var isLocked = false
  var operands: [NodeID] { [operand] }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    Dropout(operand: replace(operand), probability: probability, isLocked: isLocked)
  }

  private func mask(_ node: NodeID, _ plan: PlanBuilder) -> Address {
    plan.cache(node, "mask", plan.size(node))
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.dropout, [plan.value(node), plan.value(operand), mask(node, plan)],
      sizes: [plan.size(node), node, isLocked ? 1 : 0], scalars: [probability])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node), let share = plan.contribution(to: operand) else { return }
    plan.emit(
      \.multiply, [share.address, dy, mask(node, plan)],
      sizes: [plan.size(node), share.adds ? 1 : 0])
  }
}
