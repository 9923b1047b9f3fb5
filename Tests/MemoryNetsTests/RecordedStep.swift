import MemoryNets
import Testing

/// Equations of one step as a cell of its own, and what every such step must do.
struct RecordedStep: RecurrentCell, CustomTestStringConvertible {
  let name: String
  let body: @Sendable (Vector, StepBuilder) -> Vector
  var testDescription: String { name }

  init(_ name: String, _ body: @escaping @Sendable (Vector, StepBuilder) -> Vector) {
    self.name = name
    self.body = body
  }

  func step(_ x: Vector, in g: StepBuilder) -> Vector { body(x, g) }

  static func normals(_ count: Int, _ purpose: String) -> [Double] {
    var random = PhiloxStream(key: PhiloxKey(11).derived(purpose), stream: 0)
    return (0..<count).map { _ in 0.5 * random.normal() }
  }

  /// The step compiled, with normal parameters of deviation 0.5.
  func probe(
    inputSize: Int = 2, steps: Int = 7, batch: Int = 2, precision: Precision = .double,
    level: InstructionSet = .best, without disabled: Set<PlanPass> = [],
    hasInitialState: Bool = false
  ) -> CellProbe {
    let probe = CellProbe(
      cell: self, inputSize: inputSize, steps: steps, batch: batch, precision: precision,
      instructionSet: level, disabledPasses: disabled, hasInitialState: hasInitialState)
    for view in probe.parameters.views {
      probe.parameters.set(view, to: Self.normals(view.count, view.name))
    }
    return probe
  }

  // MARK: - Checks

  /// Central differences against every parameter, input and initial value, if there is one.
  func checkDerivatives(
    level: InstructionSet, without disabled: Set<PlanPass> = [], hasInitialState: Bool = true
  ) {
    let probe = probe(level: level, without: disabled, hasInitialState: hasInitialState)
    var inputs = Self.normals(probe.steps * probe.batch * probe.inputSize, "inputs")
    let weights = Self.normals(probe.steps * probe.batch * probe.outputSize, "weights")
    var states: [String: [Double]] = [:]
    for state in hasInitialState ? probe.states : [] {
      states[state.name] = Self.normals(probe.batch * state.size, state.name)
    }
    func loss() -> Double {
      probe.run(inputs: inputs, outputWeights: weights, initialStates: states)
    }
    _ = loss()
    let analytic = probe.parameters.views.map { probe.parameters.doubles($0, gradient: true) }
    let (ofInputs, ofStates) = (probe.inputGradients, probe.initialGradients)

    func check(_ name: String, _ expected: Double, _ change: (Double) -> Void) {
      change(1e-6)
      let above = loss()
      change(-2e-6)
      let numeric = (above - loss()) / 2e-6
      change(1e-6)
      #expect(abs(expected - numeric) <= 1e-6 * max(1, abs(numeric)), "\(name) at \(level)")
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
    for i in inputs.indices { check("input[\(i)]", ofInputs[i]) { inputs[i] += $0 } }
    for (name, state) in states {
      for i in state.indices {
        check("\(name)[\(i)]", ofStates[name]?[i] ?? .nan) { states[name]?[i] += $0 }
      }
    }
  }

  /// The same numbers in Double on every level with each pass off.
  func checkPassesAndLevels() {
    let (steps, batch) = (11, 2)
    func results(_ level: InstructionSet, _ disabled: Set<PlanPass>) -> [Double] {
      let probe = probe(steps: steps, level: level, without: disabled)
      probe.run(
        inputs: Self.normals(steps * batch * probe.inputSize, "inputs"),
        outputWeights: Self.normals(steps * batch * probe.outputSize, "weights"))
      return probe.outputs
        + probe.parameters.views.flatMap { probe.parameters.doubles($0, gradient: true) }
        + probe.inputGradients
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

  /// The same numbers in Float, as near as its digits allow.
  func checkFloat() {
    let (steps, batch) = (5, 3)
    func results(_ precision: Precision, _ level: InstructionSet) -> [Double] {
      let probe = probe(steps: steps, batch: batch, precision: precision, level: level)
      probe.run(
        inputs: Self.normals(steps * batch * probe.inputSize, "inputs"),
        outputWeights: Self.normals(steps * batch * probe.outputSize, "weights"))
      return probe.outputs
        + probe.parameters.views.flatMap { probe.parameters.doubles($0, gradient: true) }
    }
    let expected = results(.double, .best)
    let largest = expected.map(abs).max() ?? 1
    for level in InstructionSet.available {
      for (a, b) in zip(expected, results(.float, level)) {
        #expect(abs(a - b) <= 1e-5 * max(1, largest), "at \(level)")
      }
    }
  }

  /// The same bits for a sequence alone and beside others.
  func checkRowsAlone(precision: Precision) {
    let (steps, batch) = (7, 18)
    func row(_ values: [Double], _ row: Int, _ size: Int) -> [Double] {
      (0..<steps).flatMap { (t: Int) -> ArraySlice<Double> in
        let first = (t * batch + row) * size
        return values[first..<first + size]
      }
    }
    for level in InstructionSet.available {
      let many = probe(steps: steps, batch: batch, precision: precision, level: level)
      let inputs = Self.normals(steps * batch * many.inputSize, "inputs")
      many.run(
        inputs: inputs,
        outputWeights: [Double](repeating: 1, count: steps * batch * many.outputSize))
      for chosen in [0, 3, 17] {
        let alone = probe(steps: steps, batch: 1, precision: precision, level: level)
        alone.run(
          inputs: row(inputs, chosen, many.inputSize),
          outputWeights: [Double](repeating: 1, count: steps * alone.outputSize))
        #expect(alone.outputs == row(many.outputs, chosen, many.outputSize))
        #expect(alone.inputGradients == row(many.inputGradients, chosen, many.inputSize))
      }
    }
  }

  /// The same loss and gradients over the flat rows of three sequences as step by step.
  func checkFlatRows() throws {
    let shape = TaskShape(
      input: .features(size: 2), outputSize: 3, loss: .squaredError, outputSteps: .every,
      maximumSteps: 6)
    func results(_ disabled: Set<PlanPass>, _ level: InstructionSet) throws -> [Double] {
      var model = ModelOptions()
      model.precision = .double
      var execution = ExecutionOptions()
      execution.disabledPasses = disabled
      execution.instructionSet = level
      let benchmark = try TrainingBenchmark(
        model: model, cell: self, shape: shape, batchSize: 3, train: TrainOptions(),
        execution: execution)
      let network = benchmark.network
      for view in network.parameters.views {
        network.parameters.set(view, to: Self.normals(view.count, view.name))
      }
      let loss = network.train(benchmark.batch, update: 1, noiseKey: PhiloxKey(5)).loss
      return [loss]
        + network.parameters.views.flatMap { network.parameters.doubles($0, gradient: true) }
    }
    let expected = try results([.flatten], .best)
    let largest = expected.map(abs).max() ?? 1
    for level in InstructionSet.available {
      for (a, b) in zip(expected, try results([], level)) {
        #expect(abs(a - b) <= 1e-12 * max(1, largest), "at \(level)")
      }
    }
  }
}
