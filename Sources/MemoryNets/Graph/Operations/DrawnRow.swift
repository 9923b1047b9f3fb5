/// y = E[i] with a row i that is drawn at random at every step:   dE[i] += dy.
///
/// Drawn in evaluation too, where all sequences draw the same row at the same of their steps, so that a
/// result depends neither on the sequences beside one nor on the pieces it is shown in.
struct DrawnRow: Operation {
  let table: ParameterID
  /// Rows to draw among, the first of the table.
  let choices: Int
  /// Whether all sequences of a batch draw the same row.
  let isShared: Bool
  var operands: [NodeID] { [] }
  var hasParameters: Bool { true }
  func replacingOperands(_ replace: (NodeID) -> NodeID) -> any Operation { self }

  private func sizes(_ node: NodeID, _ plan: PlanBuilder) -> [Int] {
    [plan.size(node), choices, isShared ? 1 : 0, table]
  }

  func forward(_ node: NodeID, _ plan: PlanBuilder) {
    plan.emit(
      \.drawn_row, [plan.value(node), plan.parameter(table)], sizes: sizes(node, plan))
  }

  func backward(_ node: NodeID, _ plan: PlanBuilder) {
    guard let dy = plan.gradient(node) else { return }
    plan.emit(
      \.drawn_row_gradient, [plan.parameterGradient(table), dy], sizes: sizes(node, plan))
  }
}

extension StepBuilder {
  /// One of the first `choices` rows of the rows x size parameter `name`, drawn anew at every step,
  /// for every sequence or (`isShared`) for all of them together.
  package func drawnRow(
    _ name: String, of choices: Int, rows: Int, _ size: Int, isShared: Bool,
    _ initializer: Initializer
  ) -> Vector {
    precondition(1...rows ~= choices, "\(choices) of \(rows) rows")
    let table = parameter(name, [rows, size], initializer)
    return add(DrawnRow(table: table, choices: choices, isShared: isShared), size: size)
  }
}
