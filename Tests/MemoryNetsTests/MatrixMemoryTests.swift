import MemoryNets
import Testing

/// An update of a matrix memory that the language can state, as a cell of its own.
struct MatrixMemoryCell: RecurrentCell {
  let name: String
  let body: @Sendable (Vector, StepBuilder) -> Vector

  init(_ name: String, _ body: @escaping @Sendable (Vector, StepBuilder) -> Vector) {
    self.name = name
    self.body = body
  }

  func step(_ x: Vector, in g: StepBuilder) -> Vector { body(x, g) }

  static let all: [MatrixMemoryCell] = [
    MatrixMemoryCell("delta rule with a scalar decay") { x, g in
      let S = g.matrix("S", 4, 3)
      let k = tanh(g.linear("W_k", x, 3))
      let beta = sigmoid(g.linear("W_beta", x, 1))
      let decayed = sigmoid(g.linear("W_decay", x, 1)) * S
      let error = g.linear("W_v", x, 4) - S.read(k)
      return g.next(S, decayed + beta * outer(error, k)).read(g.linear("W_q", x, 3))
    },
    MatrixMemoryCell("A (I - beta k k^T) + v k^T, read before and after") { x, g in
      let A = g.matrix("A", 5, 3)
      let k = tanh(g.linear("W_k", x, 3))
      let old = A.read(k)
      let beta = sigmoid(g.linear("W_beta", x, 1))
      let next = g.next(A, A - beta * outer(old, k) + outer(g.linear("W_v", x, 5), k))
      return concatenate([old, next.read(k), next.read(tanh(g.linear("W_q", x, 3)))])
    },
    MatrixMemoryCell("gates of rows and columns") { x, g in
      let A = g.matrix("A", 3, 4)
      let u = g.linear("W_u", x, 3)
      let v = g.linear("W_v", x, 4)
      let row = sigmoid(g.linear("W_row", x, 3))
      let column = sigmoid(g.linear("W_column", x, 4))
      let s = tanh(A.readTransposed(u) + v)
      g.next(A, A.scalingRows(by: row).scalingColumns(by: column) + 0.7 * outer(u, s))
      return concatenate([A.read(s), s])
    },
    MatrixMemoryCell("gates of all terms") { x, g in
      let A = g.matrix("A", 3, 4)
      let sum = 0.9 * A + outer(g.linear("W_u", x, 3), tanh(g.linear("W_v", x, 4)))
      let row = sigmoid(g.linear("W_row", x, 3))
      let gate = sigmoid(g.linear("W_gate", x, 1))
      let column = sigmoid(g.linear("W_column", x, 4))
      let next = g.next(A, (gate * sum.scalingRows(by: row)).scalingColumns(by: column))
      return next.readTransposed(g.linear("W_q", x, 3))
    },
    MatrixMemoryCell("gated fast weights, A + G . (H - A)") { x, g in
      let A = g.matrix("A", 4, 3)
      let (a, b) = (tanh(g.linear("W_a", x, 4)), tanh(g.linear("W_b", x, 3)))
      let (c, d) = (tanh(g.linear("W_c", x, 4)), tanh(g.linear("W_d", x, 3)))
      let forgotten = A.scalingRows(by: c).scalingColumns(by: d)
      return g.next(A, A - forgotten + outer(c * a, d * b)).read(b)
    },
    MatrixMemoryCell("a learned decay under a gate, more columns than lanes") { x, g in
      let A = g.matrix("A", 3, 18)
      let decay = g.matrixParameter("decay", 3, 18, .constant(0.9))
      let rate = g.matrixParameter("rate", 3, 18, .constant(0.5))
      let v = tanh(g.linear("W_v", x, 18))
      let kept = sigmoid(g.linear("W_gate", x, 1)) * (0.8 * (decay * A))
      let y = A.read(v)
      g.next(A, kept + rate * outer(y + g.linear("W_u", x, 3), v))
      return y
    },
    MatrixMemoryCell("learned coefficients without gates, two reads of the old matrix") { x, g in
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
    MatrixMemoryCell("a gate of every element, read before") { x, g in
      let A = g.matrix("A", 3, 4)
      let (c, d) = (g.linear("W_c", x, 3), tanh(g.linear("W_d", x, 4)))
      let y = A.read(d)
      let gate = tanh(outer(c, d))
      return g.next(A, 0.8 * A + 1.5 * (gate * A) + outer(tanh(y + c), d)).readTransposed(c)
    },
    MatrixMemoryCell("a gate of every element that depends on reads of the old matrix") { x, g in
      let A = g.matrix("A", 5, 5)
      let c = tanh(g.linear("W_c", x, 5))
      let old = A.readTransposed(c) + A.read(c)
      g.next(A, tanh(outer(old, c)) * A + outer(g.linear("W_u", x, 5), old))
      return old
    },
    MatrixMemoryCell("gates of rows that depend on a read of the old matrix") { x, g in
      let A = g.matrix("A", 4, 4)
      let row = sigmoid(A.read(tanh(g.linear("W_k", x, 4))))
      let v = g.linear("W_v", x, 4)
      return g.next(A, A.scalingRows(by: row) + outer(row, v)).read(row)
    },
    MatrixMemoryCell("a tensor of rank three, written and read by two vectors") { x, g in
      let F = g.matrix("F", 6, 3)
      let (s, r) = (tanh(g.linear("W_s", x, 2)), tanh(g.linear("W_r", x, 3)))
      let pair = kronecker(s, r)
      let error = g.linear("W_t", x, 3) - F.readTransposed(pair)
      let next = g.next(F, F + outer(pair, error))
      return next.readTransposed(kronecker(tanh(g.linear("W_q", x, 2)), r))
    },
    MatrixMemoryCell("solved after the update, seven rows") { x, g in
      let H = g.matrix("H", 7, 7)
      let k = tanh(g.linear("W_k", x, 7))
      let next = g.next(H, sigmoid(g.linear("W_g", x, 1)) * H + outer(k, k))
      let diagonal = 2.5 - tanh(g.linear("W_d", x, 7))
      return concatenate([next.solve(g.linear("W_q", x, 7), diagonal: diagonal), next.read(k)])
    },
    MatrixMemoryCell("solved before and after the update") { x, g in
      let H = g.matrix("H", 4, 4)
      let diagonal = 3 - tanh(g.linear("W_d", x, 4))
      let k = tanh(H.solve(g.linear("W_q", x, 4), diagonal: diagonal))
      let next = g.next(H, 0.9 * H + 0.5 * outer(k, k))
      return concatenate([next.solve(k, diagonal: diagonal), k])
    },
    MatrixMemoryCell("what is written is also the gate and the read") { x, g in
      let A = g.matrix("A", 3, 3)
      let k = sigmoid(g.linear("W_k", x, 3))
      let y = A.read(k)
      g.next(A, A.scalingRows(by: k).scalingColumns(by: k) + outer(k, k))
      return y
    },
    MatrixMemoryCell("several terms as a history of one") { x, g in
      let A = g.matrix("A", 4, 5)
      let v = tanh(g.linear("W_v", x, 5))
      let y = A.read(v) + A.read(g.linear("W_s", x, 5))
      return g.next(A, 0.5 * A + 0.4 * A + outer(y + g.linear("W_u", x, 4), v)).read(v)
    },
  ]
}

extension MatrixMemoryCell: CustomTestStringConvertible {
  var testDescription: String { name }
}

/// Every update that the language of matrices can state, against finite differences.
@Suite struct MatrixMemoryTests {
  private static let inputSize = 2
  private static let steps = 7
  private static let batch = 2

  private static func normals(_ count: Int, _ purpose: String) -> [Double] {
    var random = PhiloxStream(key: PhiloxKey(11).derived(purpose), stream: 0)
    return (0..<count).map { _ in 0.5 * random.normal() }
  }

  private static func probe(
    _ cell: MatrixMemoryCell, batch: Int = batch, steps: Int = steps,
    precision: Precision = .double,
    level: InstructionSet = .best, without disabled: Set<PlanPass> = [],
    hasInitialState: Bool = false
  ) -> CellProbe {
    let probe = CellProbe(
      cell: cell, inputSize: inputSize, steps: steps, batch: batch, precision: precision,
      instructionSet: level, disabledPasses: disabled, hasInitialState: hasInitialState)
    for view in probe.parameters.views {
      probe.parameters.set(view, to: normals(view.count, view.name))
    }
    return probe
  }

  private static func gradients(_ probe: CellProbe) -> [Double] {
    probe.parameters.views.flatMap { probe.parameters.doubles($0, gradient: true) }
      + probe.inputGradients
      + probe.states.flatMap { probe.initialGradients[$0.name] ?? [] }
  }

  @Test(arguments: MatrixMemoryCell.all, [false, true])
  func derivativesMatchFiniteDifferences(cell: MatrixMemoryCell, hasInitialState: Bool) {
    for level in InstructionSet.available {
      let probe = Self.probe(cell, level: level, hasInitialState: hasInitialState)
      var inputs = Self.normals(Self.steps * Self.batch * Self.inputSize, "inputs")
      let weights = Self.normals(Self.steps * Self.batch * probe.outputSize, "weights")
      var states: [String: [Double]] = [:]
      if hasInitialState {
        for state in probe.states {
          states[state.name] = Self.normals(Self.batch * state.size, state.name)
        }
      }
      func loss() -> Double {
        probe.run(inputs: inputs, outputWeights: weights, initialStates: states)
      }
      _ = loss()
      let analytic = probe.parameters.views.map {
        probe.parameters.doubles($0, gradient: true)
      }
      let (ofInputs, ofStates) = (probe.inputGradients, probe.initialGradients)

      func check(_ name: String, _ expected: Double, _ change: (Double) -> Void) {
        change(1e-6)
        let above = loss()
        change(-2e-6)
        let numeric = (above - loss()) / 2e-6
        change(1e-6)
        let scale = max(1, abs(numeric))
        #expect(abs(expected - numeric) <= 1e-6 * scale, "\(name) at \(level)")
      }

      for (view, gradient) in zip(probe.parameters.views, analytic) {
        var values = probe.parameters.doubles(view)
        for i in values.indices {
          check("\(view.name)[\(i)]", gradient[i]) { step in
            values[i] += step
            probe.parameters.set(view, to: values)
          }
        }
      }
      for i in inputs.indices {
        check("input[\(i)]", ofInputs[i]) { inputs[i] += $0 }
      }
      for (name, state) in states {
        for i in state.indices {
          check("\(name)[\(i)]", ofStates[name]?[i] ?? .nan) { states[name]?[i] += $0 }
        }
      }
    }
  }

  @Test(arguments: MatrixMemoryCell.all)
  func passesAndLevelsAgree(cell: MatrixMemoryCell) {
    let steps = 11
    let inputs = Self.normals(steps * Self.batch * Self.inputSize, "inputs")
    func results(_ level: InstructionSet, _ disabled: Set<PlanPass>) -> [Double] {
      let probe = Self.probe(cell, steps: steps, level: level, without: disabled)
      probe.run(
        inputs: inputs,
        outputWeights: Self.normals(steps * Self.batch * probe.outputSize, "weights"))
      return probe.outputs
        + probe.parameters.views.flatMap {
          probe.parameters.doubles($0, gradient: true)
        }
    }
    let expected = results(.best, Set(PlanPass.allCases))
    let largest = expected.map(abs).max() ?? 1
    for level in InstructionSet.available {
      for disabled in PlanPass.allCases.map({ Set([$0]) }) + [[]] {
        for (a, b) in zip(expected, results(level, disabled)) {
          #expect(abs(a - b) <= 1e-12 * max(1, largest), "without \(disabled) at \(level)")
        }
      }
    }
  }

  @Test(arguments: MatrixMemoryCell.all, Precision.allCases)
  func aRowHasTheSameBitsAloneAndBesideOthers(cell: MatrixMemoryCell, precision: Precision) {
    let batch = 18
    let inputs = Self.normals(Self.steps * batch * Self.inputSize, "inputs")
    func row(_ values: [Double], _ row: Int, _ size: Int) -> [Double] {
      (0..<Self.steps).flatMap { (t: Int) -> ArraySlice<Double> in
        let first = (t * batch + row) * size
        return values[first..<first + size]
      }
    }
    for level in InstructionSet.available {
      let many = Self.probe(cell, batch: batch, precision: precision, level: level)
      let ones = [Double](repeating: 1, count: Self.steps * batch * many.outputSize)
      many.run(inputs: inputs, outputWeights: ones)
      for chosen in [0, 3, 17] {
        let alone = Self.probe(cell, batch: 1, precision: precision, level: level)
        alone.run(
          inputs: row(inputs, chosen, Self.inputSize),
          outputWeights: [Double](repeating: 1, count: Self.steps * alone.outputSize))
        #expect(alone.outputs == row(many.outputs, chosen, many.outputSize))
        #expect(alone.inputGradients == row(many.inputGradients, chosen, Self.inputSize))
      }
    }
  }

  /// Nine rows: two groups of four, and one.
  @Test(arguments: InstructionSet.available)
  func theSolutionSolves(level: InstructionSet) {
    let n = 9
    let cell = MatrixMemoryCell("solve") { x, g in
      let H = g.matrix("H", n, n)
      return g.next(H, H + outer(x[0..<n], x[0..<n])).solve(
        x[n..<2 * n], diagonal: x[2 * n..<3 * n])
    }
    let probe = CellProbe(
      cell: cell, inputSize: 3 * n, steps: 1, batch: 1, precision: .double, instructionSet: level)
    let k = Self.normals(n, "k")
    let b = Self.normals(n, "b")
    let diagonal = (0..<n).map { 0.5 + 0.1 * Double($0) }
    probe.run(inputs: k + b + diagonal, outputWeights: [Double](repeating: 0, count: n))
    for i in 0..<n {
      let row = (0..<n).map { k[i] * k[$0] * probe.outputs[$0] }.reduce(0, +)
      #expect(abs(row + diagonal[i] * probe.outputs[i] - b[i]) <= 1e-14)
    }
  }

  /// The cell "gates of rows and columns" by hand.
  @Test func gatesMultiplyRowsAndColumns() {
    let cell = MatrixMemoryCell("gates") { x, g in
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
