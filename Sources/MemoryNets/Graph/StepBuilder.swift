/// Records the equations of one time step as a `StepGraph`.
///
/// A cell's `step` is run once; the handles `Vector` and `Matrix` that it computes with stand for
/// one sequence's vector and matrix at one step.
package final class StepBuilder {
  package private(set) var graph = StepGraph()
  /// What stands before the names of parameters here: `layer0.`.
  private(set) var prefix = ""
  private var group = ParameterGroup.controller
  private var isReadout = false
  private var rate = 1.0
  private var isDecayed = true

  /// The most steps of a sequence.
  package let maximumSteps: Int

  /// Without a number of steps, for models that keep nothing whose size depends on it; `parameters`
  /// come before those that are declared, so that models can share them.
  package init(maximumSteps: Int = 1000, after parameters: [ParameterDeclaration] = []) {
    self.maximumSteps = maximumSteps
    graph.parameters = parameters
  }

  // MARK: - What is carried

  /// A vector carried from step to step, zero at the start of a sequence; `isDerived` if it follows
  /// from what else is carried, so that it is no state of its own.
  package func vector(_ name: String, _ size: Int, isDerived: Bool = false) -> Vector {
    let state = graph.vectorStates.count
    graph.vectorStates.append(.init(name: prefix + name, size: size, isDerived: isDerived))
    return add(PreviousValue(state: state), size: size)
  }

  /// What `x` was `steps` steps ago; zero before the start of the sequence.
  ///
  /// No computation: its values stay where they are.
  package func delayed(_ x: Vector, by steps: Int) -> Vector {
    precondition(steps >= 0, "delayed by \(steps) steps")
    guard steps > 0 else { return x }
    if let previous = graph.nodes[x.node].operation as? PreviousValue {
      return value(ofState: previous.state, ago: previous.lag + steps)
    }
    if let state = graph.vectorStates.firstIndex(where: { $0.next == x.node }) {
      return value(ofState: state, ago: steps)
    }
    if let slice = graph.nodes[x.node].operation as? Slice, isCarried(slice.operand) {
      let whole = Vector(builder: self, node: slice.operand, size: graph.nodes[slice.operand].size)
      return delayed(whole, by: steps)[slice.offset..<slice.offset + x.size]
    }
    graph.vectorStates.append(
      .init(name: "\(prefix)delayed_\(graph.vectorStates.count)", size: x.size, next: x.node))
    return value(ofState: graph.vectorStates.count - 1, ago: steps)
  }

  private func isCarried(_ node: NodeID) -> Bool {
    graph.nodes[node].operation is PreviousValue
      || graph.vectorStates.contains { $0.next == node }
  }

  private func value(ofState state: Int, ago steps: Int) -> Vector {
    graph.vectorStates[state].depth = max(graph.vectorStates[state].depth, steps)
    return add(PreviousValue(state: state, lag: steps), size: graph.vectorStates[state].size)
  }

  /// A rows x columns matrix carried from step to step, zero at the start of a sequence.
  package func matrix(_ name: String, _ rows: Int, _ columns: Int) -> Matrix {
    let state = graph.matrixStates.count
    graph.matrixStates.append(
      .init(name: prefix + name, rows: rows, columns: columns, update: nil))
    return Matrix(
      builder: self, rows: rows, columns: columns,
      terms: [.carry(.previous(state), .init())])
  }

  /// Carries `value` on as the next step's `state`, which `vector` made.
  ///
  /// Gives `value` back.
  @discardableResult
  package func next(_ state: Vector, _ value: Vector) -> Vector {
    guard let previous = graph.nodes[state.node].operation as? PreviousValue else {
      preconditionFailure("only what vector(_:_:) made is carried")
    }
    precondition(graph.vectorStates[previous.state].next == nil, "carried twice")
    precondition(state.size == value.size, "state of \(state.size), value of \(value.size)")
    graph.vectorStates[previous.state].next = value.node
    return value
  }

  /// Carries `value` on as the next step's `memory`, which `matrix` made.
  ///
  /// Gives the matrix as updated at this step. Reads of `memory` itself, the matrix as the step
  /// before left it, must stand before this call.
  @discardableResult
  package func next(_ memory: Matrix, _ value: Matrix) -> Matrix {
    precondition(
      memory.rows == value.rows && memory.columns == value.columns,
      "memory of \(memory.rows) x \(memory.columns), value of \(value.rows) x \(value.columns)")
    return update(memory) { MatrixUpdate(state: $0, becomes: value) }
  }

  /// Carries a matrix on after the update of its state that `operation` makes.
  ///
  /// Gives the updated matrix.
  func update(_ memory: Matrix, with operation: (Int) -> some Operation) -> Matrix {
    update(memory, size: 0, with: operation)
    guard case .previous(let state)? = memory.reference else { return memory }
    return Matrix(
      builder: self, rows: memory.rows, columns: memory.columns,
      terms: [.carry(.updated(state), .init())])
  }

  /// Carries a matrix on after the update of its state that `operation` makes.
  ///
  /// Gives the operation's own value, a vector of `size`.
  @discardableResult
  func update(_ memory: Matrix, size: Int, with operation: (Int) -> some Operation) -> Vector {
    guard case .previous(let state)? = memory.reference else {
      preconditionFailure("only what matrix(_:_:_:) made is carried")
    }
    precondition(graph.matrixStates[state].update == nil, "carried twice")
    let value = add(operation(state), size: size)
    graph.matrixStates[state].update = value.node
    return value
  }

  /// Something that operations carry from step to step in a form of their own.
  func history(_ name: String) -> Int {
    graph.historyStates.append(.init(name: prefix + name, update: nil))
    return graph.historyStates.count - 1
  }

  /// Makes `operation` what carries a history on.
  func update(history state: Int, with operation: some Operation) {
    precondition(graph.historyStates[state].update == nil, "carried twice")
    graph.historyStates[state].update = add(operation, size: 0).node
  }

  // MARK: - Parameters

  /// Names what `body` declares `name.…`.
  package func scope<Result>(_ name: String, _ body: () -> Result) -> Result {
    let outer = prefix
    prefix += name + "."
    defer { prefix = outer }
    return body()
  }

  /// Puts the parameters that `body` declares into `group`.
  package func group<Result>(_ group: ParameterGroup, _ body: () -> Result) -> Result {
    let outer = self.group
    self.group = group
    defer { self.group = outer }
    return body()
  }

  /// Trains the parameters that `body` declares with `factor` times the learning rate.
  package func learningRate<Result>(times factor: Double, _ body: () -> Result) -> Result {
    let outer = rate
    rate *= factor
    defer { rate = outer }
    return body()
  }

  /// Exempts the parameters that `body` declares from weight decay.
  package func withoutWeightDecay<Result>(_ body: () -> Result) -> Result {
    let outer = isDecayed
    isDecayed = false
    defer { isDecayed = outer }
    return body()
  }

  /// Marks what `body` computes as read-out: run only where the task wants answers.
  package func readout<Result>(_ body: () -> Result) -> Result {
    isReadout = true
    defer { isReadout = false }
    return group(.readout, body)
  }

  func parameter(
    _ name: String, _ shape: [Int], _ initializer: Initializer, _ origin: WeightOrigin = .trained
  ) -> ParameterID {
    let full = prefix + name
    if let known = graph.parameters.firstIndex(where: { $0.name == full }) {
      precondition(graph.parameters[known].shape == shape, "\(full) has two shapes")
      return known
    }
    graph.parameters.append(
      ParameterDeclaration(
        name: full, group: group, shape: shape, initializer: initializer, rate: rate,
        isDecayed: isDecayed, origin: origin))
    return graph.parameters.count - 1
  }

  /// Adds alpha |W W^T - I|_F^2 to what is minimised, for the parameter `name`.
  package func penalizeOrthogonality(of name: String, by alpha: Double) {
    guard let id = graph.parameters.firstIndex(where: { $0.name == prefix + name }) else {
      preconditionFailure("there is no parameter \(prefix + name)")
    }
    graph.penalties.append(OrthogonalPenalty(weight: id, alpha: alpha))
  }

  // MARK: - Recording

  func add(_ operation: some Operation, size: Int) -> Vector {
    graph.nodes.append(.init(operation: operation, size: size, isReadout: isReadout))
    return Vector(builder: self, node: graph.nodes.count - 1, size: size)
  }

  /// Marks what is to be looked at from outside: a value of a recurrence.
  package func observe(_ value: Vector) {
    graph.observed = value.node
  }

  /// Makes `value` the model's output.
  package func output(_ value: Vector) {
    graph.output = value.node
  }
}
