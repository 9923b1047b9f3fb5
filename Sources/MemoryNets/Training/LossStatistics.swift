/// Sums over the answers of one or several batches, from which the metrics are made.
///
/// Filled by the loss kernels: sums only, so that the statistics of a split are the sum of those
/// of its batches.
package struct LossStatistics: Hashable, Sendable {
  /// Sum of weight x loss over answers; the loss of an answer is summed over outputs.
  package var loss = 0.0
  /// Sum of the weights.
  package var weight = 0.0
  /// Softmax: sum of weight over answers whose largest output is the target.
  package var correct = 0.0
  /// Sigmoid at threshold 0.5, answers with weight > 0: notes right, too many, missing.
  ///
  /// Squared error: outputs with the sign of their target, and the others.
  package var truePositives = 0.0
  package var falsePositives = 0.0
  package var falseNegatives = 0.0
  /// Sigmoid: answers with no target and none predicted.
  package var silentAnswers = 0.0
  /// Sum over batches of what the sampler itself would lose.
  package var bound = 0.0

  package init(
    loss: Double = 0, weight: Double = 0, correct: Double = 0, truePositives: Double = 0,
    falsePositives: Double = 0, falseNegatives: Double = 0, silentAnswers: Double = 0,
    bound: Double = 0
  ) {
    self.loss = loss
    self.weight = weight
    self.correct = correct
    self.truePositives = truePositives
    self.falsePositives = falsePositives
    self.falseNegatives = falseNegatives
    self.silentAnswers = silentAnswers
    self.bound = bound
  }

  package static func += (a: inout LossStatistics, b: LossStatistics) {
    a.loss += b.loss
    a.weight += b.weight
    a.correct += b.correct
    a.truePositives += b.truePositives
    a.falsePositives += b.falsePositives
    a.falseNegatives += b.falseNegatives
    a.silentAnswers += b.silentAnswers
    a.bound += b.bound
  }
}
