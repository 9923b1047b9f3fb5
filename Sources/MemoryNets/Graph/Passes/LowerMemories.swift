/// A matrix memory that is kept as its history of writes: A' = decay A + rate u v^T with constant decay
/// and rate, or one of rank three, A' = g A + u (v (x) second)^T.
struct HistoryForm {
  var decay = 1.0
  var rate = 1.0
  let u: NodeID
  let v: NodeID
  var second: NodeID?
}

extension StepGraph {
  /// The matrix memories that are cheaper as their history of writes, by state.
  ///
  /// A read costs 2 t n instead of n^2, and nothing of size n^2 is kept for the derivative: cheaper
  /// up to about 3.6 n steps at n = 20, 2.1 n at 50 and 1.5 n at 100 (measured), which n + 50
  /// follows from below. Needs a memory that is empty at the start.
  func histories(maximumSteps: Int, carriesState: Bool) -> [Int: HistoryForm] {
    var found: [Int: HistoryForm] = [:]
    guard !carriesState else { return found }
    for (state, matrix) in matrixStates.enumerated() {
      if let write = matrix.update.flatMap({ nodes[$0].operation as? TensorWrite }) {
        found[state] = HistoryForm(u: write.written, v: write.first, second: write.second)
      }
      guard maximumSteps <= min(matrix.rows, matrix.columns) + 50,
        let node = matrix.update, let update = nodes[node].operation as? MatrixUpdate,
        update.carry.isConstant, update.writes.count == 1, let write = update.writes.first,
        write.learned == nil, isReadPlainly(state)
      else { continue }
      found[state] = HistoryForm(
        decay: update.carry.offset, rate: write.constant, u: write.u, v: write.v)
    }
    return found
  }

  /// Whether a matrix is used for nothing but reads A s.
  private func isReadPlainly(_ state: Int) -> Bool {
    nodes.indices.allSatisfy { node in
      guard readMemory(of: node)?.state == state else { return true }
      return (nodes[node].operation as? MatrixRead)?.isTransposed == false
    }
  }
}
