import CKernels

/// The bytes of memory that a trial takes while it trains, by what they are for.
///
/// Counted from shapes and options, without running anything; the program itself is not among them.
package struct TrialMemory: Hashable, Sendable {
  package var weights: Int
  package var gradients: Int
  /// Sums of gradients over some shards of a batch.
  package var waitingSums: Int
  /// Of the optimiser, and the mean of the weights.
  package var moments: Int
  /// A copy of the weights, from the first evaluation that counts.
  package var bestWeights: Int
  /// Values and gradients of one tile, tables and packed weights.
  package var arena: Int
  /// The kernel calls with their operands.
  package var calls: Int
  /// What is carried from batch to batch.
  package var carriedState: Int
  package var batch: Int
  /// The sequences of the task, or their order where they are made when needed.
  package var task: Int
  /// What writing a checkpoint takes.
  package var checkpoint: Int
  /// What computing weights from training sequences takes.
  package var dataStart: Int

  /// Of a trial of `network` on `task` under `options`.
  package init(_ network: Network, task: any SequenceTask, options: TrainOptions) {
    let parameters = network.parameters
    let state = network.carriedState.count
    weights = parameters.count * parameters.precision.size
    gradients = parameters.gradientCount * parameters.precision.size
    waitingSums = (network.sharding?.waitingSums ?? 0) * gradients
    moments =
      Optimizer.momentNames(options).count * weights + (options.averagePatience > 0 ? weights : 0)
    bestWeights = weights
    arena = network.arenaBytes
    calls = network.callBytes
    // Of the training, of evaluations, and the copy that is set aside during one.
    carriedState = 3 * state
    batch =
      Batch.byteCount(
        shape: task.shape, maximumRows: max(options.batchSize, options.evaluationRows))
      + network.partBytes
    self.task = task.byteCount
    checkpoint = Checkpoint.encodingBytes(
      largestSection: weights, size: parameters.precision.size)
    dataStart = network.dataStartBytes(task: task, batchSize: options.batchSize)
  }

  package var total: Int { parts.reduce(0) { $0 + $1.bytes } }

  /// What a trial that goes on from a checkpoint takes until it trains: the file and its contents
  /// beside weights, gradients and moments.
  package var whileResuming: Int {
    let contents = weights + moments + bestWeights
    return total - bestWeights - checkpoint + 2 * contents
  }

  /// All of them by name.
  package var parts: [(name: String, bytes: Int)] {
    [
      ("weights", weights), ("gradients", gradients), ("waiting_sums", waitingSums),
      ("moments", moments),
      ("best_weights", bestWeights), ("arena", arena), ("calls", calls),
      ("carried_state", carriedState), ("batch", batch), ("task", task), ("checkpoint", checkpoint),
      ("data_start", dataStart),
    ]
  }
}

extension Executor {
  /// Bytes of the instructions and of the calls that they were made from.
  var callBytes: Int {
    calls.reduce(0) { sum, call in
      let operands = call.operands.capacity * MemoryLayout<Address>.stride
      let numbers = (call.sizes.capacity + call.scalars.capacity) * MemoryLayout<Int>.stride
      // The list of the plan and that of the executor share the arrays, each with a head of 32 bytes.
      return sum + MemoryLayout<ms_instruction>.stride + 2 * MemoryLayout<Plan.Call>.stride
        + operands + numbers + 96
    }
  }
}

extension Batch {
  /// What a batch of this extent allocates.
  package static func byteCount(shape: TaskShape, maximumRows: Int) -> Int {
    let inputs = shape.maximumSteps * maximumRows
    let answers = (shape.outputSteps == .last ? 1 : shape.maximumSteps) * maximumRows
    let elements =
      switch shape.input {
      case .tokens: inputs
      case .features(let size): inputs * size
      }
    let targets = shape.loss == .softmaxCrossEntropy ? answers : answers * shape.outputSize
    return (elements + targets + answers) * MemoryLayout<Float>.stride
  }
}
