/// The update of a carried stack by a superposition of push, no operation and pop.
///
///     S'[i] = a_push S[i - 1] + a_noop S[i] + a_pop S[i + 1],   a = softmax of the actions
///
/// The stack is a carried matrix, a cell a row, the top first; its gradient is carried back in place.
/// Equations of the derivative are with the kernel.
struct SuperpositionUpdate: Operation {
  let state: Int
  let depth: Int
  let size: Int
  /// Three numbers: push, pop, no operation.
  let actions: NodeID
  let pushed: NodeID
  var operands: [NodeID] { [actions, pushed] }
  var memory: MemoryReference? { .previous(state) }

  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation {
    SuperpositionUpdate(
      state: state, depth: depth, size: size, actions: replace(actions), pushed: replace(pushed))
  }

  private func weights(_ node: NodeID, _ plan: PlanBuilder) -> Address {
    plan.cache(node, "a", 3)
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.superposition_push_pop,
      [
        plan.layout.matrix(.updated(state)), plan.layout.matrix(.previous(state)),
        plan.value(actions), plan.value(pushed), weights(node, plan),
      ], sizes: [depth, size, plan.options.carriesState ? 1 : 0])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    let gradient = plan.layout.matrixGradient(state)
    plan.clearBeforeBackward(gradient, depth * size)
    let toActions = plan.contribution(to: actions)
    let toPushed = plan.contribution(to: pushed)
    plan.emit(
      \.superposition_push_pop_backward,
      [
        gradient, plan.layout.matrix(.previous(state)), weights(node, plan), plan.value(pushed),
        toActions?.address ?? .none, toPushed?.address ?? .none,
      ],
      sizes: [
        depth, size, plan.options.carriesState ? 1 : 0, toActions?.adds == true ? 1 : 0,
        toPushed?.adds == true ? 1 : 0,
      ])
  }
}

/// The top cell of a carried stack: a copy of the first row.
struct StackTop: Operation {
  let source: MemoryReference
  var operands: [NodeID] { [] }
  var memory: MemoryReference? { source }
  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation { self }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.copy, [plan.value(node), plan.layout.matrix(source)], sizes: [plan.size(node), 0])
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    plan.emit(
      \.copy, [plan.layout.matrixGradient(source.state), dy], sizes: [plan.size(node), 1])
  }
}

/// A stack of vectors that is carried from step to step, empty at the start of a sequence.
package struct Stack {
  let memory: Matrix
  /// Cells.
  var depth: Int { memory.rows }
  /// Numbers of a cell.
  package var size: Int { memory.columns }

  /// The top cell; zero of an empty stack.
  package var top: Vector {
    guard let reference = memory.reference else { preconditionFailure("a stack is carried") }
    return memory.builder.add(StackTop(source: reference), size: size)
  }
}

extension StepBuilder {
  /// A stack of at most `depth` cells of `size` numbers.
  ///
  /// Without a depth of as many as can come back to the top within a sequence: half its steps.
  package func stack(_ name: String, depth: Int? = nil, _ size: Int) -> Stack {
    let readable = (maximumSteps + 1) / 2
    return Stack(memory: matrix(name, min(depth ?? readable, maximumSteps), size))
  }

  /// Carries the stack on after push, pop and no operation in the proportions of the softmax of
  /// three `actions`.
  ///
  /// Gives the stack after the actions; what `stack.top` reads stands before them.
  @discardableResult
  package func next(_ stack: Stack, actions: Vector, pushing pushed: Vector) -> Stack {
    precondition(actions.size == 3 && pushed.size == stack.size, "three actions and a cell")
    let updated = update(stack.memory) { state in
      SuperpositionUpdate(
        state: state, depth: stack.depth, size: stack.size, actions: actions.node,
        pushed: pushed.node)
    }
    return Stack(memory: updated)
  }
}
