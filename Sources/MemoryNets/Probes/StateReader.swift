import CKernels

/// A model that is looked into: what it carries and what it answers, at every step.
///
/// Runs up to 16 sequences at a time, from zero or going on from where they ended.
package final class StateReader {
  /// A state of more numbers is read as this many random sums of them, which bounds from below what
  /// can be decoded.
  package static let largestState = 512

  package let shape: TaskShape
  package let parameters: ParameterStore
  package let outputSize: Int
  /// Numbers of the state as it is read.
  package let size: Int
  /// Numbers that the model carries.
  package let carriedSize: Int
  let graph: StepGraph
  private let network: Network
  /// The inputs of a batch, with answers of weight 0.
  private let inputs: Batch
  private let slots: [Plan.CarriedSlot]
  /// By number of the carried state: the sum it goes to, and its sign; empty where all are read.
  private var sums: [(place: Int, sign: Double)] = []

  /// For batches of up to `steps` steps, all of whose answers can be read; the net is what is trained
  /// after `updates` updates, which may be a forerunner of the model.
  package init(
    model: ModelOptions, cell: any RecurrentCell, shape: TaskShape, steps: Int,
    after updates: Int = .max, instructionSet: InstructionSet = .best
  ) throws(OptionProblem) {
    var probed = shape
    probed.outputSteps = .every
    probed.carriesState = true
    probed.maximumSteps = steps
    self.shape = probed
    var execution = ExecutionOptions()
    execution.instructionSet = instructionSet
    // A tile has its own states then, one slot a step.
    execution.disabledPasses = [.flatten, .lowerMemories]
    network = try Network(
      model: model, cell: cell, shape: probed, batchSize: Int(MS_LANES),
      initializationKey: PhiloxKey(0), execution: execution)
    network.resume(after: updates)
    let recurrent = RecurrentModel(options: model, cell: cell, shape: probed)
    graph =
      (network.runsForerunner ? recurrent.recordedForerunner() : nil) ?? recurrent.recorded()
    parameters = network.parameters
    let plan = network.executor.plan
    slots = plan.carried
    inputs = Batch(shape: probed, maximumRows: Int(MS_LANES))
    outputSize = plan.outputSize
    carriedSize = slots.reduce(0) { $0 + $1.size }
    size = min(carriedSize, Self.largestState)
    if carriedSize > size {
      var draws = PhiloxStream(key: PhiloxKey(0).derived("sums of states"), stream: 0)
      sums = (0..<carriedSize).map { _ in
        (draws.integer(below: size), draws.integer(below: 2) == 0 ? 1 : -1)
      }
    }
  }

  /// Rows that a batch may have.
  package static let rows = Int(MS_LANES)

  /// Runs the inputs of `batch`, from zero or going on after `earlier` steps; its states and outputs can
  /// be read until the next run.
  package func run(_ batch: Batch, after earlier: Int = 0) {
    inputs.resize(rows: batch.rows, steps: batch.steps)
    inputs.firstStep = earlier
    let places = batch.rows * batch.steps
    for i in 0..<min(inputs.tokens.count, places) { inputs.tokens[i] = batch.tokens[i] }
    if case .features(let size) = shape.input {
      for i in 0..<places * size { inputs.features[i] = batch.features[i] }
    }
    _ = network.evaluate(inputs)
  }

  /// Appends the state of `row` after `step`.
  package func appendState(row: Int, step: Int, to states: inout [Double]) {
    let start = states.count
    states += repeatElement(0, count: size)
    var number = 0
    for slot in slots {
      for feature in 0..<slot.size {
        let value = self[slot.slots, step + 1, feature, row]
        if sums.isEmpty {
          states[start + number] = value
        } else {
          states[start + sums[number].place] += sums[number].sign * value
        }
        number += 1
      }
    }
  }

  /// The output `feature` of `row` at `step`.
  package func output(row: Int, step: Int, feature: Int) -> Double {
    self[network.executor.plan.output, step, feature, row]
  }

  /// The class that `row` answers at `step`, the first of the largest outputs.
  package func answer(row: Int, step: Int) -> Int {
    var best = 0
    for feature in 1..<max(outputSize, 1)
    where output(row: row, step: step, feature: feature)
      > output(row: row, step: step, feature: best)
    {
      best = feature
    }
    return best
  }

  private subscript(address: Address, step: Int, feature: Int, lane: Int) -> Double {
    let executor = network.executor
    guard let base = executor.pointer(address) else { return 0 }
    let i = step * address.stride + feature * Self.rows + lane
    return switch executor.precision {
    case .float: Double(base.load(fromByteOffset: i * 4, as: Float.self))
    case .double: base.load(fromByteOffset: i * 8, as: Double.self)
    }
  }
}
