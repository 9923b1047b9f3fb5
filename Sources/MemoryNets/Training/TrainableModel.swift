/// What a trainer needs of a model: `Network`, or something simpler in tests.
package protocol TrainableModel: AnyObject {
  var parameters: ParameterStore { get }
  var kernels: Kernels { get }
  /// Numbers carried from step to step for each sequence.
  var stateSize: Int { get }
  var parameterCount: Int { get }

  /// Forward and backward: overwrites the gradients with that of the weighted mean loss.
  func train(_ batch: Batch, update: Int, noiseKey: PhiloxKey) -> LossStatistics

  /// Forward alone, without dropout.
  func evaluate(_ batch: Batch) -> LossStatistics

  /// What is carried over between batches that continue each other, saved with a checkpoint.
  var carriedState: UnsafeMutableRawBufferPointer { get }
}

extension Network: TrainableModel {}
