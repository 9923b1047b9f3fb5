/// Where the numbers of a weight come from.
enum WeightOrigin {
  /// Drawn at the start of a trial, and trained.
  case trained
  /// Given, and the same for ever.
  case fixed([Double])
  /// Computed once a batch from another weight.
  case derived(any DerivedWeight, from: ParameterID)
}

/// A function of a weight alone: its kernel calls once a batch and those of its derivative.
///
/// Each lives in one file under Operations/, next to its equation.
protocol DerivedWeight {
  /// Whether nothing else uses the source and the gradients are of one shape, so that the gradient of
  /// the weight is made where that of the source is to be.
  var isInPlace: Bool { get }
  /// Emits the calls that compute the weight from `source`.
  func forward(_ weight: Address, of source: Address, _ plan: PlanBuilder)
  /// Emits the calls that add what the gradient of the weight gives to that of `source`, or in place
  /// turn it into that, when the gradient has been summed over the whole batch.
  func backward(
    _ gradient: Address, of source: Address, to sourceGradient: Address, _ plan: PlanBuilder)
}

extension DerivedWeight {
  var isInPlace: Bool { false }
}

/// A matrix that is not itself trained: fixed, or computed once a batch from parameters.
package struct Weight {
  let id: ParameterID
  let rows: Int
  let columns: Int
}

extension StepBuilder {
  /// A rows x columns matrix of given numbers, row-major, that nothing changes.
  package func fixed(_ name: String, _ rows: Int, _ columns: Int, _ values: [Double]) -> Weight {
    precondition(values.count == rows * columns, "\(values.count) numbers, \(rows) x \(columns)")
    let id = parameter(name, [rows, columns], .constant(0), .fixed(values))
    return Weight(id: id, rows: rows, columns: columns)
  }

  /// The rotation exp(S) of size x size, S skew with the parameter `name` above its diagonal.
  package func rotation(_ name: String, _ size: Int, _ start: Initializer) -> Weight {
    let angles = parameter(name, [size * (size - 1) / 2], start)
    let id = parameter(
      "exp(\(name))", [size, size], .constant(0), .derived(Rotation(size: size), from: angles))
    return Weight(id: id, rows: size, columns: size)
  }

  /// The whole name of what `parameter` would declare as `name` here.
  func parameterName(_ name: String) -> String { prefix + name }

  /// The matrix of a parameter that has been declared, by its whole name.
  func weight(named name: String) -> Weight {
    guard let id = graph.parameters.firstIndex(where: { $0.name == name }) else {
      preconditionFailure("there is no parameter \(name)")
    }
    let shape = graph.parameters[id].shape
    return Weight(id: id, rows: shape[0], columns: shape[1])
  }

  /// W x.
  package func linear(_ weight: Weight, _ x: Vector) -> Vector {
    precondition(weight.columns == x.size, "\(weight.columns) columns, x of \(x.size)")
    return add(Sum(terms: [.linear(weight.id, x.node)]), size: weight.rows)
  }
}
