/// Follows the best value of the goal and how long ago it was.
package struct EarlyStop: Codable, Hashable, Sendable {
  package private(set) var bestValue: Double?
  package private(set) var bestStep = 0
  package private(set) var evaluationsSinceBest = 0

  package init() {}

  /// Notes the value of an evaluation; true when it is better than every one before.
  package mutating func observe(_ value: Double, step: Int, goal: TrainingGoal) -> Bool {
    if let bestValue, !goal.isBetter(value, than: bestValue) {
      evaluationsSinceBest += 1
      return false
    }
    (bestValue, bestStep, evaluationsSinceBest) = (value, step, 0)
    return true
  }

  /// Whether `patience` evaluations in a row brought nothing better; 0 is endless patience.
  package func isExhausted(patience: Int) -> Bool {
    patience > 0 && evaluationsSinceBest >= patience
  }
}
