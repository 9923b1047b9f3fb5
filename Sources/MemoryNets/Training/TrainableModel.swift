/// What a trainer needs of a model: `Network`, or something simpler in tests.
package protocol TrainableModel: AnyObject {
  var parameters: ParameterStore { get }
  var kernels: Kernels { get }
  /// Numbers carried from step to step for each sequence.
  var stateSize: Int { get }
  var parameterCount: Int { get }

  /// Forward and backward: overwrites the gradients with that of the weighted mean loss.
  ///
  /// Throws where this model is a team's and the team cannot go on.
  func train(
    _ batch: Batch, update: Int, noiseKey: PhiloxKey
  ) throws(TeamError) -> LossStatistics

  /// Forward alone, without dropout; throws as `train`.
  func evaluate(_ batch: Batch) throws(TeamError) -> LossStatistics

  /// What is carried over between batches that continue each other, saved with a checkpoint.
  var carriedState: UnsafeMutableRawBufferPointer { get }

  /// Completes `carriedState` by what the other ranks of a team carry.
  func collectState() throws(TeamError)

  /// The update from which on it is the model that was asked for that is trained.
  var firstUpdate: Int { get }

  /// Gets ready for update number `update`; true where weights were computed anew, so that what an
  /// optimiser knows of those before is of no use.
  func prepare(for update: Int, of task: any SequenceTask, batchSize: Int) -> Bool

  /// Goes on as after `updates` updates, with the weights as they then were.
  func resume(after updates: Int)
}

extension TrainableModel {
  package var firstUpdate: Int { 0 }

  package func prepare(
    for update: Int, of task: any SequenceTask, batchSize: Int
  ) -> Bool { false }

  package func resume(after updates: Int) {}

  package func collectState() {}
}

extension Network: TrainableModel {}
