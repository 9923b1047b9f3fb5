import CKernels

/// What a plan depends on beside the graph.
package struct PlanOptions {
  package var maximumSteps: Int
  /// Of a batch that is trained on.
  package var maximumTrainingSteps: Int
  /// Whether the model answers after the last step only.
  package var answersLastStepOnly: Bool
  /// Whether a batch may go on from the state in which the one before ended.
  package var carriesState = false
  package var wantsInputGradient = false
  package var disabledPasses: Set<PlanPass> = []
  /// The kernel that makes the loss and the outputs' gradient; none where the caller does.
  var loss: Plan.Kernel?
  /// What a squared loss is multiplied with.
  var lossFactor = 1.0
  /// The most sequences of a batch, where it is run as a whole; 0 where tile by tile.
  package var maximumRows = 0
  /// Elements of the parameters in the store, where it holds more of them than the graph's.
  var storedParameters = 0
  /// Sequences of a shard, where gradients are to be summed shard by shard, see `ShardedNetwork`; 0
  /// where they are not.
  var shardRows = 0
  /// Ranks that work on a read-out of all of their rows together, each with as many.
  var parts = 1

  package init(maximumSteps: Int, answersLastStepOnly: Bool) {
    self.maximumSteps = maximumSteps
    maximumTrainingSteps = maximumSteps
    self.answersLastStepOnly = answersLastStepOnly
  }

  func isEnabled(_ pass: PlanPass) -> Bool { !disabledPasses.contains(pass) }

  /// Whether products cost by the sequences that exist, not by the lanes of their tiles, since too
  /// many lanes would idle.
  var isNarrow: Bool {
    let tiles = (maximumRows + Int(MS_LANES) - 1) / Int(MS_LANES)
    return maximumRows > 0 && maximumRows * 100 < 85 * tiles * Int(MS_LANES)
  }

  /// Whether flat rows pay, with `weights` numbers in the weights that would run over them: when
  /// these leave the nearest cache, or when the batch leaves half the lanes of a tile idle.
  ///
  /// Sums over rows depend on it, so that a shard decides, not how many of them a rank has.
  func isFlattening(_ weights: Int) -> Bool {
    let rows = shardRows > 0 ? shardRows : maximumRows
    return isEnabled(.flatten) && !answersLastStepOnly && rows > 0
      && (weights >= 65536 || rows <= Int(MS_LANES) / 2)
  }
}
