/// What a trial strives for: a metric, which way it is better, and when it is good enough.
package struct TrainingGoal: Hashable, Sendable {
  /// `validation.accuracy`: split and metric.
  package var metric: String
  package var isMaximized: Bool
  package var target: Double?
  /// Training ends at the first evaluation at or past the target.
  package var stopsAtTarget: Bool

  package init(
    metric: String = "validation.loss", isMaximized: Bool = false, target: Double? = nil,
    stopsAtTarget: Bool = false
  ) {
    self.metric = metric
    self.isMaximized = isMaximized
    self.target = target
    self.stopsAtTarget = stopsAtTarget
  }

  package func isBetter(_ value: Double, than other: Double) -> Bool {
    isMaximized ? value > other : value < other
  }

  package func isReached(by value: Double) -> Bool {
    guard let target else { return false }
    return isMaximized ? value >= target : value <= target
  }
}
