import Foundation
import MemoryNets
import Testing

/// A cell with options that bring out its parts, for the suite below.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
  let kind: CellKind
  let options: OptionDictionary
  var testDescription: String { "\(kind.name) \(options.sorted { $0.key < $1.key })" }

  func cell() throws -> any RecurrentCell {
    var all = options
    all["hidden_size"] = all["hidden_size"] ?? .integer(5)
    return kind.make(try decodeOptions(kind.defaults, from: all))
  }

  static let all: [ConformanceCase] = CellRegistry.all.flatMap { kind in
    variants(kind.name).map { ConformanceCase(kind: kind, options: $0) }
  }

  private static func variants(_ cell: String) -> [OptionDictionary] {
    let orders: [OptionDictionary] = [
      ["order": .string("read_then_write")], ["order": .string("write_then_read")],
    ]
    switch cell {
    case "elman":
      return [["activation": .string("tanh")], ["activation": .string("relu")]]
    case "ln_lstm": return [["variant": .string("separate")], ["variant": .string("joint")]]
    case "fw_rnn":
      return orders + [
        ["inner_steps": .integer(3), "norms": .string("separate")],
        ["inner": .string("slow"), "inner_steps": .integer(2)], ["inner": .string("nothing")],
        ["inner": .string("previous")],
      ]
    case "fw_lstm": return [[:], ["fast_scope": .string("all_gates")]]
    case "fwm":
      let sizes: OptionDictionary = ["entity_size": .integer(3), "relation_size": .integer(2)]
      let large: OptionDictionary = [
        "variant": .string("language_model"), "residual": .boolean(true),
      ]
      return [sizes, sizes.merging(large) { $1 }]
    case "mesa": return [["heads": .integer(2), "head_size": .integer(3)]]
    case "stable_hadamard":
      let sizes: OptionDictionary = ["memory_size": .integer(4), "theta_rows": .integer(3)]
      return [
        sizes.merging(["sampling": .string("per_sequence")]) { $1 },
        sizes.merging(["sampling": .string("per_step")]) { $1 },
        sizes.merging(["sampling": .string("fixed_row"), "shortcut": .boolean(true)]) { $1 },
      ]
    case "gated_fast_weights":
      return [["slow_size": .integer(4)], ["slow_size": .integer(4), "gate": .string("sigmoid")]]
    case "weinet": return orders + [["memories": .integer(2)]]
    case "lmn":
      return [
        ["read": .string("hidden")], ["read": .string("memory"), "memory_size": .integer(3)],
      ]
    case "stack_rnn":
      return [
        ["vector_size": .integer(2)], ["stacks": .integer(2), "vector_size": .integer(3)],
        ["pushed": .string("hidden"), "depth_limit": .integer(3)],
      ]
    case "stratified_stack": return [["vector_size": .integer(3)]]
    case "rns_stack", "vrns_stack":
      let sizes: OptionDictionary = ["states": .integer(2), "symbols": .integer(2)]
      return [0, 2, 3].map { sizes.merging(["window": .integer($0)]) { $1 } }
    case "delta_net":
      return [
        ["heads": .integer(2), "value_size": .integer(2)],
        ["heads": .integer(1), "negative_eigenvalues": .boolean(true), "convolution": .integer(1)],
        [
          "feature_map": .string("dpfp"), "dpfp_order": .integer(2), "key_norm": .string("sum"),
          "heads": .integer(2), "key_size": .integer(2), "output_norm": .string("none"),
        ],
        ["rule": .string("sum"), "feature_map": .string("elu_plus_one"), "heads": .integer(2)],
        [
          "rule": .string("sum"), "feature_map": .string("favor"), "favor_directions": .integer(3),
          "key_size": .integer(2), "heads": .integer(2),
        ],
      ]
    case "gated_delta_net":
      return [
        ["heads": .integer(2), "key_size": .integer(2)],
        [
          "heads": .integer(1), "key_size": .integer(3), "value_size": .integer(2),
          "output_gate": .boolean(false), "convolution": .integer(2),
        ],
      ]
    case "recurrent_delta_net": return [["heads": .integer(2)]]
    case "mlstm":
      return [
        ["heads": .integer(2), "expansion": .integer(1)],
        ["heads": .integer(1), "expansion": .integer(1), "convolution": .integer(1)],
      ]
    case "mamba":
      return [
        ["expansion": .integer(1), "state_size": .integer(3)],
        [
          "expansion": .integer(2), "state_size": .integer(1), "convolution": .integer(1),
          "time_step_rank": .integer(2),
        ],
      ]
    case "ms_lmn":
      return [
        ["modules": .integer(3), "module_size": .integer(2)],
        [
          "modules": .integer(1), "module_size": .integer(3),
          "initialization": .string("incremental"),
        ],
      ]
    case "tensor_power":
      return [["rank": .integer(4)], ["degree": .number(3), "learns_degree": .boolean(false)]]
    case "lmu":
      return [
        ["memory_size": .integer(4), "theta": .number(6)],
        [
          "memory_size": .integer(3), "theta": .number(15), "discretization": .string("euler"),
          "read": .string("memory"),
        ],
      ]
    case "delay_line":
      return [
        ["length": .integer(3)], ["length": .integer(1)],
        ["length": .integer(2), "read": .string("memory")],
      ]
    case "ctrnn":
      return [
        ["form": .string("current")], ["form": .string("rate"), "activation": .string("relu")],
      ]
    default: return [[:]]
    }
  }
}

/// What every cell of the registry must do.
@Suite struct CellConformanceTests {
  private static let inputSize = 3
  private static let steps = 4

  private static func normals(_ count: Int, _ purpose: String, _ scale: Double = 1) -> [Double] {
    var random = PhiloxStream(key: PhiloxKey(7).derived(purpose), stream: 0)
    return (0..<count).map { _ in random.normal() * scale }
  }

  /// One row of a (steps, batch, size) array.
  private static func rows(of values: [Double], _ row: Int, _ batch: Int, _ size: Int) -> [Double] {
    (0..<steps).flatMap { (t: Int) -> ArraySlice<Double> in
      let first = (t * batch + row) * size
      return values[first..<first + size]
    }
  }

  private static func probe(
    _ test: ConformanceCase, batch: Int, precision: Precision = .double,
    disabledPasses: Set<PlanPass> = [], hasInitialState: Bool = false,
    level: InstructionSet = .best
  ) throws -> CellProbe {
    let probe = CellProbe(
      cell: try test.cell(), inputSize: inputSize, steps: steps, batch: batch,
      precision: precision, instructionSet: level, disabledPasses: disabledPasses,
      hasInitialState: hasInitialState)
    for view in probe.parameters.views {
      let start = probe.parameters.doubles(view)
      let noise = normals(view.count, view.name, 0.4)
      // Gains and decays keep their start as a centre; zero biases get life.
      let isCentred = view.name.hasSuffix("gain") || view.name.contains("W_decay")
      let numbers = isCentred ? zip(start, noise).map { $0 + 0.25 * $1 } : noise
      probe.parameters.set(view, to: numbers)
    }
    return probe
  }

  /// Central differences, step 1e-6, against every parameter, the inputs and the initial state.
  @Test(arguments: ConformanceCase.all, [Set<PlanPass>(), Set(PlanPass.allCases)])
  func backwardMatchesFiniteDifferences(test: ConformanceCase, disabled: Set<PlanPass>) throws {
    for hasInitialState in [false, true] {
      let batch = 2
      let probe = try Self.probe(
        test, batch: batch, disabledPasses: disabled, hasInitialState: hasInitialState)
      let inputs = Self.normals(Self.steps * batch * Self.inputSize, "inputs")
      let weights = Self.normals(Self.steps * batch * probe.outputSize, "weights")
      var states: [String: [Double]] = [:]
      if hasInitialState {
        for state in probe.states {
          states[state.name] = Self.normals(batch * state.size, state.name, 0.5)
        }
      }
      probe.run(inputs: inputs, outputWeights: weights, initialStates: states)
      let step = 1e-6

      func check(_ name: String, _ analytic: Double, _ loss: (Double) -> Double) {
        let numeric = (loss(step) - loss(-step)) / (2 * step)
        let scale = max(1, abs(analytic), abs(numeric))
        #expect(abs(analytic - numeric) <= 1e-6 * scale, "\(name) of \(test.testDescription)")
      }

      let gradients = probe.parameters.views.map { probe.parameters.doubles($0, gradient: true) }
      let inputGradients = probe.inputGradients
      let initialGradients = probe.initialGradients
      for (view, gradient) in zip(probe.parameters.views, gradients) {
        let start = probe.parameters.doubles(view)
        for i in 0..<view.count {
          check("\(view.name)[\(i)]", gradient[i]) { change in
            var changed = start
            changed[i] += change
            probe.parameters.set(view, to: changed)
            return probe.run(inputs: inputs, outputWeights: weights, initialStates: states)
          }
        }
        probe.parameters.set(view, to: start)
      }
      for i in inputs.indices {
        check("input[\(i)]", inputGradients[i]) { change in
          var changed = inputs
          changed[i] += change
          return probe.run(inputs: changed, outputWeights: weights, initialStates: states)
        }
      }
      for (name, state) in states {
        for i in state.indices {
          check("\(name)[\(i)]", initialGradients[name]?[i] ?? .nan) { change in
            var changed = states
            changed[name]?[i] += change
            return probe.run(inputs: inputs, outputWeights: weights, initialStates: changed)
          }
        }
      }
    }
  }

  @Test(arguments: ConformanceCase.all, Precision.allCases)
  func aRowHasTheSameBitsAloneAndBesideOthers(test: ConformanceCase, precision: Precision) throws {
    for level in InstructionSet.available {
      let batch = 19
      let many = try Self.probe(test, batch: batch, precision: precision, level: level)
      let inputs = Self.normals(Self.steps * batch * Self.inputSize, "inputs")
      many.run(
        inputs: inputs,
        outputWeights: Self.normals(Self.steps * batch * many.outputSize, "weights"))
      for row in [0, 5, 18] {
        let alone = try Self.probe(test, batch: 1, precision: precision, level: level)
        let own = Self.rows(of: inputs, row, batch, Self.inputSize)
        alone.run(
          inputs: own, outputWeights: [Double](repeating: 1, count: Self.steps * alone.outputSize))
        #expect(alone.outputs == Self.rows(of: many.outputs, row, batch, many.outputSize))
      }
    }
  }

  /// A sequence shown in pieces, the state carried, and beside other sequences.
  @Test(arguments: ConformanceCase.all)
  func anEvaluationIsTheSameInPiecesAndBesideOthers(test: ConformanceCase) throws {
    let shape = TaskShape(
      input: .features(size: Self.inputSize), outputSize: 2, loss: .squaredError,
      outputSteps: .every, maximumSteps: 9, carriesState: true)
    let cell = try test.cell()
    guard cell.problems(with: shape).isEmpty else { return }
    var model = ModelOptions()
    model.precision = .double
    let network = try Network(
      model: model, cell: cell, shape: shape, batchSize: 3, initializationKey: PhiloxKey(1))
    for view in network.parameters.views where view.name.hasPrefix("readout") {
      network.parameters.set(view, to: Self.normals(view.count, view.name))
    }
    let inputs = Self.normals(9 * 3 * Self.inputSize, "inputs")
    func loss(steps: Range<Int> = 0..<9, rows: Range<Int> = 0..<3) -> Double {
      let batch = Batch(shape: shape, maximumRows: rows.count)
      batch.resize(rows: rows.count, steps: steps.count)
      batch.firstStep = steps.lowerBound
      var i = 0
      for step in steps {
        for row in rows {
          for f in 0..<Self.inputSize {
            batch.features[i] = Float(inputs[(step * 3 + row) * Self.inputSize + f])
            i += 1
          }
        }
      }
      batch.targets.update(repeating: 1)
      batch.weights.update(repeating: 1)
      return network.evaluate(batch).loss
    }
    let whole = loss()
    let inPieces = loss(steps: 0..<3) + loss(steps: 3..<7) + loss(steps: 7..<9)
    #expect(abs(inPieces - whole) <= 1e-12 * whole)
    let alone = (0..<3).reduce(0) { $0 + loss(rows: $1..<$1 + 1) }
    #expect(abs(alone - whole) <= 1e-12 * whole)
  }

  @Test(arguments: ConformanceCase.all)
  func allZeroInputGivesFiniteNumbers(test: ConformanceCase) throws {
    let probe = try Self.probe(test, batch: 1)
    for view in probe.parameters.views where !view.name.contains("gain") {
      probe.parameters.set(view, to: [Double](repeating: 0, count: view.count))
    }
    probe.run(
      inputs: [Double](repeating: 0, count: Self.steps * Self.inputSize),
      outputWeights: [Double](repeating: 1, count: Self.steps * probe.outputSize))
    let gradients = probe.parameters.views.map { probe.parameters.doubles($0, gradient: true) }
    let infinite = (gradients + [probe.outputs]).joined().filter { !$0.isFinite }
    #expect(infinite.isEmpty)
  }

  @Test(arguments: ConformanceCase.all)
  func everyInstructionLevelAgrees(test: ConformanceCase) throws {
    let inputs = Self.normals(Self.steps * 2 * Self.inputSize, "inputs")
    let results = try InstructionSet.available.map { level in
      let probe = try Self.probe(test, batch: 2, level: level)
      let weights = Self.normals(Self.steps * 2 * probe.outputSize, "weights")
      probe.run(inputs: inputs, outputWeights: weights)
      return probe.outputs
        + probe.parameters.views.flatMap { probe.parameters.doubles($0, gradient: true) }
    }
    for other in results.dropFirst() {
      for (a, b) in zip(results[0], other) { #expect(abs(a - b) <= 1e-11 * max(1, abs(a))) }
    }
  }
}
