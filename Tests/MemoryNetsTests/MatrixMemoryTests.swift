import MemoryNets
import Testing

/// Updates of a matrix memory that the language can state.
private let updates: [RecordedStep] = [
  RecordedStep("delta rule with a scalar decay") { x, g in
    let S = g.matrix("S", 4, 3)
    let k = tanh(g.linear("W_k", x, 3))
    let beta = sigmoid(g.linear("W_beta", x, 1))
    let decayed = sigmoid(g.linear("W_decay", x, 1)) * S
    let error = g.linear("W_v", x, 4) - S.read(k)
    return g.next(S, decayed + beta * outer(error, k)).read(g.linear("W_q", x, 3))
  },
  RecordedStep("A (I - beta k k^T) + v k^T, read before and after") { x, g in
    let A = g.matrix("A", 5, 3)
    let k = tanh(g.linear("W_k", x, 3))
    let old = A.read(k)
    let beta = sigmoid(g.linear("W_beta", x, 1))
    let next = g.next(A, A - beta * outer(old, k) + outer(g.linear("W_v", x, 5), k))
    return concatenate([old, next.read(k), next.read(tanh(g.linear("W_q", x, 3)))])
  },
  RecordedStep("gates of rows and columns") { x, g in
    let A = g.matrix("A", 3, 4)
    let u = g.linear("W_u", x, 3)
    let v = g.linear("W_v", x, 4)
    let row = sigmoid(g.linear("W_row", x, 3))
    let column = sigmoid(g.linear("W_column", x, 4))
    let s = tanh(A.readTransposed(u) + v)
    g.next(A, A.scalingRows(by: row).scalingColumns(by: column) + 0.7 * outer(u, s))
    return concatenate([A.read(s), s])
  },
  RecordedStep("gates of all terms") { x, g in
    let A = g.matrix("A", 3, 4)
    let sum = 0.9 * A + outer(g.linear("W_u", x, 3), tanh(g.linear("W_v", x, 4)))
    let row = sigmoid(g.linear("W_row", x, 3))
    let gate = sigmoid(g.linear("W_gate", x, 1))
    let column = sigmoid(g.linear("W_column", x, 4))
    let next = g.next(A, (gate * sum.scalingRows(by: row)).scalingColumns(by: column))
    return next.readTransposed(g.linear("W_q", x, 3))
  },
  RecordedStep("gated fast weights, A + G . (H - A)") { x, g in
    let A = g.matrix("A", 4, 3)
    let (a, b) = (tanh(g.linear("W_a", x, 4)), tanh(g.linear("W_b", x, 3)))
    let (c, d) = (tanh(g.linear("W_c", x, 4)), tanh(g.linear("W_d", x, 3)))
    let forgotten = A.scalingRows(by: c).scalingColumns(by: d)
    return g.next(A, A - forgotten + outer(c * a, d * b)).read(b)
  },
  RecordedStep("a learned decay under a gate, more columns than lanes") { x, g in
    let A = g.matrix("A", 3, 18)
    let decay = g.matrixParameter("decay", 3, 18, .constant(0.9))
    let rate = g.matrixParameter("rate", 3, 18, .constant(0.5))
    let v = tanh(g.linear("W_v", x, 18))
    let kept = sigmoid(g.linear("W_gate", x, 1)) * (0.8 * (decay * A))
    let y = A.read(v)
    g.next(A, kept + rate * outer(y + g.linear("W_u", x, 3), v))
    return y
  },
  RecordedStep("learned coefficients without gates, two reads of the old matrix") { x, g in
    let A = g.matrix("A", 3, 17)
    let decay = g.matrixParameter("decay", 3, 17, .constant(0.9))
    let rate = g.matrixParameter("rate", 3, 17, .constant(0.5))
    let u = g.linear("W_u", x, 3)
    let v = tanh(A.readTransposed(u) + g.linear("W_v", x, 17))
    let y = A.read(v)
    let w = g.linear("W_w", x, 17)
    g.next(A, decay * A + rate * outer(y + u, v) + 0.3 * outer(u, w))
    return y
  },
  RecordedStep("a gate of every element, read before") { x, g in
    let A = g.matrix("A", 3, 4)
    let (c, d) = (g.linear("W_c", x, 3), tanh(g.linear("W_d", x, 4)))
    let y = A.read(d)
    let gate = tanh(outer(c, d))
    return g.next(A, 0.8 * A + 1.5 * (gate * A) + outer(tanh(y + c), d)).readTransposed(c)
  },
  RecordedStep("a gate of every element that depends on reads of the old matrix") { x, g in
    let A = g.matrix("A", 5, 5)
    let c = tanh(g.linear("W_c", x, 5))
    let old = A.readTransposed(c) + A.read(c)
    g.next(A, tanh(outer(old, c)) * A + outer(g.linear("W_u", x, 5), old))
    return old
  },
  RecordedStep("gates of rows that depend on a read of the old matrix") { x, g in
    let A = g.matrix("A", 4, 4)
    let row = sigmoid(A.read(tanh(g.linear("W_k", x, 4))))
    let v = g.linear("W_v", x, 4)
    return g.next(A, A.scalingRows(by: row) + outer(row, v)).read(row)
  },
  RecordedStep("a tensor of rank three, written and read by two vectors") { x, g in
    let F = g.matrix("F", 6, 3)
    let (s, r) = (tanh(g.linear("W_s", x, 2)), tanh(g.linear("W_r", x, 3)))
    let pair = kronecker(s, r)
    let error = g.linear("W_t", x, 3) - F.readTransposed(pair)
    let next = g.next(F, F + outer(pair, error))
    return next.readTransposed(kronecker(tanh(g.linear("W_q", x, 2)), r))
  },
  RecordedStep("solved after the update, seven rows") { x, g in
    let H = g.matrix("H", 7, 7)
    let k = tanh(g.linear("W_k", x, 7))
    let next = g.next(H, sigmoid(g.linear("W_g", x, 1)) * H + outer(k, k))
    let diagonal = 2.5 - tanh(g.linear("W_d", x, 7))
    return concatenate([next.solve(g.linear("W_q", x, 7), diagonal: diagonal), next.read(k)])
  },
  RecordedStep("solved before and after the update") { x, g in
    let H = g.matrix("H", 4, 4)
    let diagonal = 3 - tanh(g.linear("W_d", x, 4))
    let k = tanh(H.solve(g.linear("W_q", x, 4), diagonal: diagonal))
    let next = g.next(H, 0.9 * H + 0.5 * outer(k, k))
    return concatenate([next.solve(k, diagonal: diagonal), k])
  },
  RecordedStep("what is written is also the gate and the read") { x, g in
    let A = g.matrix("A", 3, 3)
    let k = sigmoid(g.linear("W_k", x, 3))
    let y = A.read(k)
    g.next(A, A.scalingRows(by: k).scalingColumns(by: k) + outer(k, k))
    return y
  },
  RecordedStep("several terms as a history of one") { x, g in
    let A = g.matrix("A", 4, 5)
    let v = tanh(g.linear("W_v", x, 5))
    let y = A.read(v) + A.read(g.linear("W_s", x, 5))
    return g.next(A, 0.5 * A + 0.4 * A + outer(y + g.linear("W_u", x, 4), v)).read(v)
  },
  RecordedStep("a tensor of rank three that decays by a gate, as its writes") { x, g in
    let F = g.matrix("F", 5 * 6, 7)
    let (s, r) = (tanh(g.linear("W_s", x, 5)), tanh(g.linear("W_r", x, 6)))
    let old = F.readTransposed(kronecker(s, r))
    let gate = sigmoid(g.linear("W_g", x, 1) + sum(old))
    let next = g.next(F, gate * F + outer(kronecker(s, r), g.linear("W_t", x, 7) - old))
    let q = next.readTransposed(kronecker(tanh(old[0..<5]), r))
    return concatenate([q, next.readTransposed(kronecker(q[1..<6], tanh(g.linear("W_e", x, 6))))])
  },
  RecordedStep("vectors that decay by a selected time step") { x, g in
    let step = softplus(g.linear("W_step", x, 19))
    return g.selectiveScan(
      "h", timeStep: step, written: g.linear("W_w", x, 19), writing: tanh(g.linear("W_b", x, 3)),
      reading: g.linear("W_c", x, 3), rates: "log_rates", .normal(1))
  },
]

/// Every update that the language of matrices can state, against finite differences.
@Suite struct MatrixMemoryTests {
  @Test(arguments: updates, [false, true])
  func derivativesMatchFiniteDifferences(step: RecordedStep, hasInitialState: Bool) {
    for level in InstructionSet.available {
      step.checkDerivatives(level: level, hasInitialState: hasInitialState)
    }
  }

  @Test(arguments: updates) func passesAndLevelsAgree(step: RecordedStep) {
    step.checkPassesAndLevels()
  }

  @Test(arguments: updates, Precision.allCases)
  func aRowHasTheSameBitsAloneAndBesideOthers(step: RecordedStep, precision: Precision) {
    step.checkRowsAlone(precision: precision)
  }

  /// Nine rows: two groups of four, and one.
  @Test(arguments: InstructionSet.available)
  func theSolutionSolves(level: InstructionSet) {
    let n = 9
    let cell = RecordedStep("solve") { x, g in
      let H = g.matrix("H", n, n)
      return g.next(H, H + outer(x[0..<n], x[0..<n])).solve(
        x[n..<2 * n], diagonal: x[2 * n..<3 * n])
    }
    let probe = CellProbe(
      cell: cell, inputSize: 3 * n, steps: 1, batch: 1, precision: .double, instructionSet: level)
    let k = RecordedStep.normals(n, "k")
    let b = RecordedStep.normals(n, "b")
    let diagonal = (0..<n).map { 0.5 + 0.1 * Double($0) }
    probe.run(inputs: k + b + diagonal, outputWeights: [Double](repeating: 0, count: n))
    for i in 0..<n {
      let row = (0..<n).map { k[i] * k[$0] * probe.outputs[$0] }.reduce(0, +)
      #expect(abs(row + diagonal[i] * probe.outputs[i] - b[i]) <= 1e-14)
    }
  }

  /// The cell "gates of rows and columns" by hand.
  @Test func gatesMultiplyRowsAndColumns() {
    let cell = RecordedStep("gates") { x, g in
      let A = g.matrix("A", 2, 3)
      let (row, column) = (x[0..<2], x[2..<5])
      return g.next(A, A.scalingRows(by: row).scalingColumns(by: column) + outer(row, column))
        .readTransposed(x[5..<7])
    }
    let probe = CellProbe(
      cell: cell, inputSize: 7, steps: 2, batch: 1, precision: .double)
    let inputs: [Double] = [1, 2, 3, 4, 5, 1, 0.5, 0.5, 2, 3, 2, 1, 1, 10]
    probe.run(inputs: inputs, outputWeights: [Double](repeating: 1, count: 6))
    // A(1) = [3 4 5; 6 8 10]; A(2) = [1.5 1 .5; 6 4 2] . A(1) + [1.5 1 .5; 6 4 2].
    let expected: [Double] = [6, 8, 10, 426, 365, 223]
    #expect(probe.outputs == expected)
  }
}
