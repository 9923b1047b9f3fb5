/// A memory of rank three as a graph records it: A' = g A + (s (x) r) d^T, read by A^T (q (x) e).
private struct TensorForm {
  let gate: NodeID
  let first: NodeID
  let second: NodeID
  let written: NodeID
  /// The nodes that read, each with its two vectors.
  let reads: [(node: NodeID, first: NodeID, second: NodeID)]
}

extension StepGraph {
  /// Keeps memories of rank three as the history of their writes, where that is cheaper.
  ///
  /// A read of n x m x k numbers then costs n + m + k a past write, and nothing of the memory's size is
  /// stored for the derivative: cheaper up to 2 n m k / (n + m + k) steps by the count of
  /// multiplications, of which half is taken. Needs a memory that is empty at the start.
  mutating func lowerTensors(maximumSteps: Int, carriesState: Bool) {
    guard !carriesState else { return }
    for (state, matrix) in matrixStates.enumerated() {
      guard let node = matrix.update, let form = tensorForm(of: state, updatedBy: node) else {
        continue
      }
      let sizes = [form.first, form.second, form.written].map { nodes[$0].size }
      guard maximumSteps * sizes.reduce(0, +) <= sizes.reduce(1, *) else { continue }
      let isReadout = nodes[node].isReadout
      func add(_ operation: some Operation) -> NodeID {
        nodes.append(Node(operation: operation, size: maximumSteps, isReadout: isReadout))
        return nodes.count - 1
      }
      let previous = add(PreviousValue(state: vectorStates.count))
      let weights = add(HistoryDecay(previous: previous, gate: form.gate))
      vectorStates.append(
        VectorState(
          name: matrix.name + "_weights", size: maximumSteps, next: weights, isDerived: true))
      nodes[node].operation = TensorWrite(
        state: state, first: form.first, second: form.second, written: form.written,
        weights: weights)
      for read in form.reads {
        guard let source = nodes[read.node].operation.memory else { continue }
        nodes[read.node].operation = TensorRead(
          source: source, first: read.first, second: read.second,
          weights: source == .previous(state) ? previous : weights)
      }
    }
  }

  private func tensorForm(of state: Int, updatedBy node: NodeID) -> TensorForm? {
    guard let update = nodes[node].operation as? MatrixUpdate, let gate = update.carry.row,
      update.carry.isScalar, update.carry.constant == 1, update.carry.offset == 0,
      update.carry.learned == nil, update.carry.column == nil, !update.carry.isSquashed,
      update.writes.count == 1, let write = update.writes.first, write.learned == nil,
      write.constant == 1, let pair = nodes[write.u].operation as? Kronecker
    else { return nil }
    var reads: [(node: NodeID, first: NodeID, second: NodeID)] = []
    for other in nodes.indices where readMemory(of: other)?.state == state {
      guard let read = nodes[other].operation as? MatrixRead, read.isTransposed,
        let vectors = nodes[read.vector].operation as? Kronecker,
        nodes[vectors.u].size == nodes[pair.u].size
      else { return nil }
      reads.append((other, vectors.u, vectors.v))
    }
    return TensorForm(
      gate: gate, first: pair.u, second: pair.v, written: write.v, reads: reads)
  }
}
