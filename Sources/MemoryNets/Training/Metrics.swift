import Foundation

/// One named number of an evaluation: `accuracy`.
package struct Metric: Codable, Hashable, Sendable {
  package let name: String
  package let value: Double

  package init(_ name: String, _ value: Double) {
    self.name = name
    self.value = value
  }
}

/// The numbers that are made from `LossStatistics`, by the task's loss.
///
/// - `loss`: the weighted mean over answers, in nats for the cross-entropies; for sigmoid
///   cross-entropy the negative log-likelihood of a frame, for squared error the sum over
///   outputs, half of it or the mean over outputs, as the task has it.
/// - `accuracy`: the weighted part of answers whose largest output is the target; of signs the part of
///   outputs with the sign of their target.
/// - `frame_accuracy`: TP / (TP + FP + FN) over all frames, of Bay, Ehmann and Downie, "Evaluation of
///   Multiple-F0 Estimation and Tracking Systems", ISMIR 2009; a frame without notes of which none
///   was predicted adds nothing.
/// - `frame_accuracy_silence_as_error`: such a frame adds 1 to the denominator, as some published
///   programs do.
/// - `perplexity` and `excess`, of tasks that have them: `TaskShape.Measure`.
package enum Metrics {
  /// The names that `metrics(of:loss:)` gives, in that order.
  package static func names(_ loss: TaskShape.Loss) -> [String] {
    switch loss {
    case .softmaxCrossEntropy: ["loss", "accuracy"]
    case .sigmoidCrossEntropy: ["loss", "frame_accuracy", "frame_accuracy_silence_as_error"]
    case .squaredError, .halfSquaredError, .meanSquaredError: ["loss"]
    case .squaredErrorOfSigns: ["loss", "accuracy"]
    }
  }

  /// The metrics of `statistics`; without any answer there is none.
  ///
  /// A ratio of nothing to nothing is 1: no note was to be found, and none was claimed.
  package static func metrics(
    of statistics: LossStatistics, loss: TaskShape.Loss
  ) -> [Metric] {
    guard statistics.weight != 0 else { return [] }
    let mean = Metric("loss", statistics.loss / statistics.weight)
    switch loss {
    case .softmaxCrossEntropy:
      return [mean, Metric("accuracy", statistics.correct / statistics.weight)]
    case .squaredErrorOfSigns:
      let (right, wrong) = (statistics.truePositives, statistics.falsePositives)
      return [mean, Metric("accuracy", right / max(right + wrong, 1))]
    case .sigmoidCrossEntropy:
      let found = statistics.truePositives
      let all = found + statistics.falsePositives + statistics.falseNegatives
      func part(of whole: Double) -> Double { whole == 0 ? 1 : found / whole }
      return [
        mean, Metric("frame_accuracy", part(of: all)),
        Metric("frame_accuracy_silence_as_error", part(of: all + statistics.silentAnswers)),
      ]
    case .squaredError, .halfSquaredError, .meanSquaredError: return [mean]
    }
  }

  /// The metrics of `statistics` for a task of this shape; without any answer there is none.
  package static func metrics(of statistics: LossStatistics, shape: TaskShape) -> [Metric] {
    let metrics = metrics(of: statistics, loss: shape.loss)
    guard statistics.weight != 0 else { return metrics }
    let mean = statistics.loss / statistics.weight
    return metrics
      + shape.measures.map { measure in
        switch measure {
        // Beyond that a perplexity is no number; the loss still says how bad it is.
        case .perplexity: Metric(measure.rawValue, exp(min(mean, 700)))
        case .excess: Metric(measure.rawValue, mean - statistics.bound / statistics.weight)
        }
      }
  }

  /// What is wrong with `goal` for a task of this loss and these measures, or nil when it can be used.
  ///
  /// `isSteering` says that training ends or changes by it (target, early stop, plateau): the
  /// test split cannot do that, for it is looked at once, at the end.
  package static func problem(
    goal: String, loss: TaskShape.Loss, measures: [TaskShape.Measure] = [], isSteering: Bool
  ) -> String? {
    let splits = isSteering ? ["train", "validation"] : DataSplit.allCases.map(\.rawValue)
    let names = names(loss) + measures.map(\.rawValue)
    let known = splits.flatMap { split in names.map { "\(split).\($0)" } }
    if known.contains(goal) { return nil }
    let possible = "this task has \(known.joined(separator: ", "))"
    guard isSteering, problem(goal: goal, loss: loss, measures: measures, isSteering: false) == nil
    else {
      return "\(goal) is no metric of this task; \(possible)"
    }
    return "\(goal) is known at the end only, and training cannot follow it; \(possible)"
  }
}
