/// How a model is executed; part of the numeric contract of its results.
package struct ExecutionOptions: Hashable, Sendable {
  /// Names of the passes that are switched off.
  package var disabledPasses: Set<String> = []
  package var instructionSet: InstructionSet = .best
  package init() {}
}

/// A model compiled for a task's shape: parameters, arena and the list of kernel calls.
///
/// One for each trial. Nothing is allocated after it is made.
package final class Network {
  package let parameters: ParameterStore
  package let kernels: Kernels
  /// Floats (or doubles) carried from step to step for each sequence.
  package let stateSize: Int
  package let parameterCount: Int

  /// Makes the model with its initial weights, drawn under `initializationKey`.
  package init(
    model: ModelOptions, cell: any RecurrentCell, shape: TaskShape, batchSize: Int,
    initializationKey: PhiloxKey, execution: ExecutionOptions = ExecutionOptions()
  ) throws(OptionProblem) {
    fatalError("contract")
  }

  /// Bytes of activations and caches.
  package var arenaBytes: Int { fatalError("contract") }

  /// Forward and backward over `batch`: overwrites `parameters.gradients` with the gradient of the
  /// weighted mean loss. `update` and `noiseKey` determine dropout masks.
  package func train(_ batch: Batch, update: Int, noiseKey: PhiloxKey) -> LossStatistics {
    fatalError("contract")
  }

  /// Forward over `batch` without dropout.
  package func evaluate(_ batch: Batch) -> LossStatistics {
    fatalError("contract")
  }

  /// The state carried over between batches that continue each other, as one flat buffer to be
  /// saved with a checkpoint; empty for tasks whose batches never do.
  package var carriedState: UnsafeMutableRawBufferPointer { fatalError("contract") }
}
