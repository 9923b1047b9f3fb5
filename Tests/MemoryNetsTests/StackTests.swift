import Foundation
import MemoryNets
import Testing

/// A step as a cell of its own.
private struct StackCell: RecurrentCell {
  let body: @Sendable (Vector, StepBuilder) -> Vector
  func step(_ x: Vector, in g: StepBuilder) -> Vector { body(x, g) }
}

@Suite struct StackTests {
  private static func cell(_ name: String, _ options: OptionDictionary) throws
    -> any RecurrentCell
  {
    let kind = try #require(CellRegistry.kind(named: name))
    return kind.make(try decodeOptions(kind.defaults, from: options))
  }

  private static func normals(_ count: Int, _ purpose: String) -> [Double] {
    var random = PhiloxStream(key: PhiloxKey(21).derived(purpose), stream: 0)
    return (0..<count).map { _ in random.normal() }
  }

  /// With actions that are all but certain a superposition is a stack like any other.
  @Test func certainActionsPushAndPop() {
    // Inputs: log weights of push, pop and no operation, and what is pushed.
    let cell = StackCell { x, g in
      let stack = g.stack("S", 2)
      let top = stack.top
      g.next(stack, actions: x[0..<3], pushing: x[3..<5])
      return top
    }
    let actions = [0, 0, 2, 0, 1, 1, 0, 1, 1, 1, 1]
    let probe = CellProbe(
      cell: cell, inputSize: 5, steps: actions.count, batch: 1, precision: .double)
    var expected: [Double] = []
    var stack: [Double] = []
    var inputs: [Double] = []
    for (step, action) in actions.enumerated() {
      expected += stack.last.map { [$0, -$0] } ?? [0, 0]
      inputs += (0..<3).map { $0 == action ? 100.0 : -100 } + [Double(step) + 1, -Double(step) - 1]
      if action == 0 { stack.append(Double(step) + 1) }
      if action == 1 { _ = stack.popLast() }
    }
    probe.run(inputs: inputs, outputWeights: expected)
    for (a, b) in zip(probe.outputs, expected) { #expect(abs(a - b) < 1e-9) }
  }

  /// One state, two symbols: push the symbol of the input, pop on a third input.
  @Test func certainOperationsMoveOneTop() {
    let operations = [0, 1, 1, 2, 2, 0, 2, 2, 1]
    let cell = StackCell { x, g in
      let stack = g.nondeterministicStack("N", states: 1, symbols: 2)
      let top = stack.reading()
      // Weights of one top after the other: two pushes, two replacements, a pop.
      let weights = concatenate([x[0..<2], -100 * x[3..<5], x[2..<3]])
      g.next(stack, weights: concatenate([weights, weights]))
      return top
    }
    let probe = CellProbe(
      cell: cell, inputSize: 5, steps: operations.count, batch: 1, precision: .double)
    var expected: [Double] = []
    var inputs: [Double] = []
    // The first symbol is never popped.
    var stack = [0]
    for operation in operations {
      expected += (0..<2).map { stack.last == $0 ? 1 : 0 }
      inputs += (0..<3).map { $0 == operation ? 100.0 : -100 } + [1, 1]
      if operation < 2 { stack.append(operation) } else { stack.removeLast() }
    }
    probe.run(inputs: inputs, outputWeights: expected)
    for (a, b) in zip(probe.outputs, expected) { #expect(abs(a - b) < 1e-9, "\(probe.outputs)") }
  }

  /// Wild weights over 400 steps: every number stays finite, and readings stay probabilities.
  @Test(arguments: [0, 8])
  func readingsStayProbabilitiesOverManySteps(window: Int) {
    let steps = 400
    let cell = StackCell { x, g in
      let stack = g.nondeterministicStack("N", states: 2, symbols: 1, window: window)
      let reading = stack.reading()
      g.next(stack, weights: g.linear("W", x, stack.operations, .normal(6)))
      return reading
    }
    let probe = CellProbe(cell: cell, inputSize: 3, steps: steps, batch: 2, precision: .float)
    probe.run(
      inputs: Self.normals(steps * 2 * 3, "wild"), outputWeights: Self.normals(steps * 4, "out"))
    let sums = stride(from: 0, to: probe.outputs.count, by: 2).map {
      probe.outputs[$0] + probe.outputs[$0 + 1]
    }
    #expect(sums.allSatisfy { abs($0 - 1) < 1e-5 })
    let gradients = probe.parameters.views.flatMap { probe.parameters.doubles($0, gradient: true) }
    let infinite = (gradients + probe.inputGradients).filter { !$0.isFinite }
    #expect(infinite.isEmpty)
    #expect(gradients.contains { $0 != 0 })
  }

  @Test(arguments: [
    ("stack_rnn", ["depth_limit": OptionValue.integer(3)]),
    ("rns_stack", ["states": .integer(2), "symbols": .integer(2), "window": .integer(3)]),
    ("vrns_stack", ["states": .integer(2), "symbols": .integer(2), "window": .integer(3)]),
  ])
  func aStreamInPiecesIsTheStreamAsAWhole(cell: String, options: OptionDictionary) throws {
    let shape = TaskShape(
      input: .features(size: 3), outputSize: 4, loss: .squaredError, outputSteps: .every,
      maximumSteps: 9, carriesState: true)
    var model = ModelOptions()
    model.precision = .double
    let network = try Network(
      model: model, cell: try Self.cell(cell, options), shape: shape, batchSize: 2,
      initializationKey: PhiloxKey(1))
    let inputs = Self.normals(9 * 2 * 3, "stream")
    let batch = Batch(shape: shape, maximumRows: 2)
    func loss(_ steps: Range<Int>) -> Double {
      batch.resize(rows: 2, steps: steps.count)
      batch.firstStep = steps.lowerBound
      for i in 0..<steps.count * 6 { batch.features[i] = Float(inputs[steps.lowerBound * 6 + i]) }
      batch.targets.update(repeating: 1)
      batch.weights.update(repeating: 1)
      return network.evaluate(batch).loss
    }
    let whole = loss(0..<9)
    #expect(abs(loss(0..<2) + loss(2..<6) + loss(6..<9) - whole) < 1e-12)
    let anew = loss(0..<9)
    #expect(anew == whole)
  }

  @Test(arguments: ["stack_rnn", "stratified_stack", "rns_stack", "vrns_stack"])
  func streamsNeedALimit(cell: String) throws {
    let shape = TaskShape(
      input: .features(size: 3), outputSize: 4, loss: .squaredError, outputSteps: .every,
      maximumSteps: 9, carriesState: true)
    let made = try Self.cell(cell, [:])
    let problem = try #require(
      RecurrentModel(options: ModelOptions(), cell: made, shape: shape).validate().first)
    let option = ["stack_rnn": "depth_limit", "stratified_stack": "cell"][cell] ?? "window"
    #expect(problem.option == option)
    #expect(problem.problem.contains("go on from batch to batch"))
  }

  @Test(arguments: ["stack_rnn", "stratified_stack", "rns_stack", "vrns_stack"])
  func whatActsOnTheStackIsMemoryAndTheLSTMIsController(cell: String) throws {
    let probe = CellProbe(
      cell: try Self.cell(cell, [:]), inputSize: 3, steps: 2, batch: 1, precision: .float)
    let groups = Dictionary(grouping: probe.parameters.views, by: \.group).mapValues {
      Set($0.map(\.name))
    }
    #expect(groups[.controller] == ["W_x", "W_h", "b"])
    let layers: Set = ["W_a", "b_a"]
    let pushed: Set = ["W_v", "b_v"]
    let expected =
      ["rns_stack": layers, "vrns_stack": layers.union(pushed).union(["v_0"])][cell]
      ?? layers.union(pushed)
    #expect(groups[.memory] == expected)
    #expect(groups.count == 2)
  }

  /// Freezing what acts on the stack, the LSTM or both leaves the others to learn.
  @Test(arguments: ["stack_rnn", "stratified_stack", "rns_stack", "vrns_stack"])
  func frozenGroupsKeepTheirStart(cell: String) throws {
    var language = FormalLanguageOptions()
    (language.minimumLength, language.maximumLength, language.testLengths) = (5, 9, [5, 9])
    (language.trainSize, language.validationSize, language.testPerLength) = (40, 4, 1)
    let task = FormalLanguageTask(options: language, key: PhiloxKey(1))
    let modes: [[ParameterGroup]] = [[], [.memory], [.controller], [.controller, .memory]]
    for frozen in modes {
      let network = try Network(
        model: ModelOptions(), cell: try Self.cell(cell, ["hidden_size": .integer(6)]),
        shape: task.shape, batchSize: 10, initializationKey: PhiloxKey(2))
      var options = TrainOptions()
      (options.steps, options.evaluateEvery, options.batchSize) = (3, 3, 10)
      options.freeze = frozen
      let views = network.parameters.views
      let before = views.map { network.parameters.doubles($0) }
      let trainer = Trainer(
        model: network, task: task, options: options, goal: TrainingGoal(),
        noiseKey: PhiloxKey(3))
      while trainer.end == nil { try trainer.advance() }
      #expect(trainer.end == .complete)
      for (view, start) in zip(views, before) {
        let isSame = network.parameters.doubles(view) == start
        #expect(isSame == frozen.contains(view.group), "\(view.name) with \(frozen) frozen")
      }
      #expect(trainer.metrics.contains { $0.name == "test.5_9.excess" })
      #expect(trainer.metrics.contains { $0.name == "test.excess" })
    }
  }

  @Test func stateSizesCountWhatIsHeld() throws {
    let shape = TaskShape(
      input: .features(size: 3), outputSize: 4, loss: .squaredError, outputSteps: .every,
      maximumSteps: 9)
    func stateSize(_ cell: String, _ options: OptionDictionary) throws -> Int {
      try Network(
        model: ModelOptions(), cell: try Self.cell(cell, options), shape: shape, batchSize: 2,
        initializationKey: PhiloxKey(1)
      ).stateSize
    }
    // Beside the LSTM's 40: half of the nine steps, rounded up; a limit; two stacks.
    #expect(try stateSize("stack_rnn", [:]) == 40 + 5 * 10)
    #expect(try stateSize("stack_rnn", ["depth_limit": .integer(4)]) == 40 + 4 * 10)
    #expect(
      try stateSize("stack_rnn", ["stacks": .integer(2), "vector_size": .integer(3)])
        == 40 + 2 * 5 * 3)
    // An entry with its strength for each step, and the reading.
    #expect(try stateSize("stratified_stack", [:]) == 40 + 9 * 11 + 10)
    // Ten tops of runs of 0 to 9 steps; in a window of three, three of three.
    let sizes: OptionDictionary = ["states": .integer(2), "symbols": .integer(2)]
    #expect(try stateSize("rns_stack", sizes) == 40 + 4 + 55 * 16)
    let windowed = sizes.merging(["window": .integer(3)]) { $1 }
    #expect(try stateSize("rns_stack", windowed) == 40 + 4 + 9 * 16)
    #expect(try stateSize("vrns_stack", windowed) == 40 + 4 + 9 * (4 + 5) * 4)
  }

  @Test func impossibleSizesAreRefused() {
    var nondeterministic = NondeterministicStackRNN.Options()
    nondeterministic.window = 1
    #expect(
      nondeterministic.validate()
        == [OptionProblem("window", "is 1; 0 is none, otherwise at least 2 is needed")])
    var vectors = VectorNondeterministicStackRNN.Options()
    vectors.states = 0
    #expect(vectors.validate() == [OptionProblem("states", "is 0; at least 1 is needed")])
    var superposed = StackRNN.Options()
    superposed.depthLimit = -1
    #expect(superposed.validate() == [OptionProblem("depth_limit", "is -1; 0 is no limit")])
  }
}
