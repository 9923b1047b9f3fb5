import CKernels

/// A cell by itself, for checking its equations: inputs and output weights in, outputs and all
/// gradients out.
///
/// The loss is sum(outputs x outputWeights). Arrays are row-major (T, B, features), in Double
/// whatever the precision of the computation.
package final class CellProbe {
  package let parameters: ParameterStore
  package let inputSize: Int
  package let steps: Int
  package let batch: Int
  package var outputSize: Int { executor.plan.outputSize }
  private let executor: Executor
  private let lanes = Int(MS_LANES)

  package private(set) var outputs: [Double] = []
  /// (T, B, input), after `run`.
  package private(set) var inputGradients: [Double] = []
  /// By carried vector or matrix: (B, size).
  package private(set) var initialGradients: [String: [Double]] = [:]
  package private(set) var finalStates: [String: [Double]] = [:]

  /// `isTraining` says whether chance is that of an update or of an evaluation.
  package init(
    cell: any RecurrentCell, inputSize: Int, steps: Int, batch: Int, precision: Precision,
    instructionSet: InstructionSet = .best, disabledPasses: Set<PlanPass> = [],
    hasInitialState: Bool = false, isTraining: Bool = false, key: PhiloxKey = PhiloxKey(0)
  ) {
    let g = StepBuilder(maximumSteps: steps)
    g.output(cell.step(g.input(.caller, inputSize), in: g))
    var options = PlanOptions(maximumSteps: steps, answersLastStepOnly: false)
    options.carriesState = hasInitialState
    options.wantsInputGradient = true
    options.disabledPasses = disabledPasses
    let plan = PlanBuilder.plan(g.graph, options)
    parameters = ParameterStore(
      plan.parameters, precision: precision, key: key, gradientCount: plan.gradientCount)
    executor = Executor(plan: plan, parameters: parameters, instructionSet: instructionSet)
    executor.batch.pointee.training = isTraining ? 1 : 0
    self.inputSize = inputSize
    self.steps = steps
    self.batch = batch
  }

  /// The names and sizes of what is carried, as far as it has an initial value of its own.
  package var states: [(name: String, size: Int)] {
    executor.plan.carried.filter { $0.initialGradient != .none }.map { ($0.name, $0.count) }
  }

  /// Runs forward and backward; fills in outputs and gradients.
  ///
  /// Gives the loss.
  @discardableResult
  package func run(
    inputs: [Double], outputWeights: [Double], initialStates: [String: [Double]] = [:]
  ) -> Double {
    let plan = executor.plan
    let outputSize = plan.outputSize
    parameters.clearGradients()
    outputs = [Double](repeating: 0, count: steps * batch * outputSize)
    inputGradients = [Double](repeating: 0, count: steps * batch * inputSize)
    for slot in plan.carried {
      initialGradients[slot.name] = [Double](repeating: 0, count: batch * slot.count)
      finalStates[slot.name] = [Double](repeating: 0, count: batch * slot.count)
    }
    executor.batch.pointee.steps = Int64(steps)
    executor.batch.pointee.rows = Int64(batch)
    executor.startBatch(trains: true)
    for first in stride(from: 0, to: batch, by: lanes) {
      let rows = first..<min(first + lanes, batch)
      _ = executor.startTiles(from: first)
      executor.loadState(nil)
      for slot in plan.carried {
        guard let values = initialStates[slot.name] else { continue }
        for row in rows {
          for i in 0..<slot.count {
            self[slot.slots, i / slot.size, i % slot.size, row - first] =
              values[row * slot.count + i]
          }
        }
      }
      for step in 0..<steps {
        for row in rows {
          for f in 0..<inputSize {
            self[plan.input, step, f, row - first] =
              inputs[(step * batch + row) * inputSize + f]
          }
        }
      }
      executor.runForward()
      executor.startBackward()
      for step in 0..<steps {
        for row in rows {
          for f in 0..<outputSize {
            let i = (step * batch + row) * outputSize + f
            outputs[i] = self[plan.output, step, f, row - first]
            self[plan.outputGradient, step, f, row - first] = outputWeights[i]
          }
        }
        for lane in rows.count..<lanes {
          for f in 0..<outputSize { self[plan.outputGradient, step, f, lane] = 0 }
        }
      }
      executor.runBackward()
      for row in rows {
        for step in 0..<steps {
          for f in 0..<inputSize {
            inputGradients[(step * batch + row) * inputSize + f] =
              self[plan.inputGradient, step, f, row - first]
          }
        }
        for slot in plan.carried {
          for i in 0..<slot.count {
            let (step, f) = (i / slot.size, i % slot.size)
            initialGradients[slot.name]?[row * slot.count + i] =
              self[slot.initialGradient, step, f, row - first]
            finalStates[slot.name]?[row * slot.count + i] =
              self[slot.slots, steps + step, f, row - first]
          }
        }
      }
    }
    executor.endGradient()
    return zip(outputs, outputWeights).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private subscript(address: Address, step: Int, feature: Int, lane: Int) -> Double {
    get {
      guard let base = executor.pointer(address) else { return 0 }
      let i = step * address.stride + feature * lanes + lane
      switch executor.precision {
      case .float: return Double(base.load(fromByteOffset: i * 4, as: Float.self))
      case .double: return base.load(fromByteOffset: i * 8, as: Double.self)
      }
    }
    set {
      guard let base = executor.pointer(address) else { return }
      let i = step * address.stride + feature * lanes + lane
      switch executor.precision {
      case .float: base.storeBytes(of: Float(newValue), toByteOffset: i * 4, as: Float.self)
      case .double: base.storeBytes(of: newValue, toByteOffset: i * 8, as: Double.self)
      }
    }
  }
}
