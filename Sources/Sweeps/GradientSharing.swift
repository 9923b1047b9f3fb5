import MemoryNets

/// How the gradient of a batch is put together, as far as it determines a trial's result.
///
/// In a reproducible sum over shards it makes no difference how many ranks there are.
package struct GradientSharing: Hashable, Sendable {
  /// Parts of a batch, the gradients of which are summed as a binary tree; 1 does not divide it.
  ///
  /// The fast reduction has one for each rank.
  package var shards: Int
  package var reduction: DataParallelSettings.Reduction
  package var gradients: DataParallelSettings.Gradients
  /// Of the fast reduction, the bits of which depend on it; 1 for the reproducible one.
  package var ranks: Int

  package init(
    shards: Int = 1, reduction: DataParallelSettings.Reduction = .reproducible,
    gradients: DataParallelSettings.Gradients = .exact, ranks: Int = 1
  ) {
    self.shards = shards
    self.reduction = reduction
    self.gradients = gradients
    self.ranks = ranks
  }

  /// The batch as one, as without a team.
  package static let none = GradientSharing()
}
