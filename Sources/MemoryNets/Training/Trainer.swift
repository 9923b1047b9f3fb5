/// A metric at a step of the training: (200, `validation.accuracy`, 0.43).
package struct TrainingPoint: Codable, Hashable, Sendable {
  package let step: Int
  package let name: String
  package let value: Double
}

/// How a training ended.
package enum TrainingEnd: Hashable, Sendable {
  case complete
  /// A number of update or evaluation `step` was not finite.
  case diverged(step: Int, reason: String)
}

/// One training: updates, evaluations, and the decision when it is over.
///
/// `advance` does one update or one batch of an evaluation, so that the caller has the word often;
/// no clock is read and no file touched. The state between two calls can be saved and restored bit
/// for bit (`Trainer+Checkpoint.swift`).
package final class Trainer {
  package let model: any TrainableModel
  package let options: TrainOptions
  package let goal: TrainingGoal
  /// Updates done.
  package internal(set) var step = 0
  /// Every evaluation, in order: `train.*` since the one before, `validation.*`, at the end `test.*`.
  package internal(set) var history: [TrainingPoint] = []
  /// The first evaluation at or past the goal's target.
  package internal(set) var stepsToTarget: Int?
  package private(set) var end: TrainingEnd?

  let optimizer: Optimizer
  var plateau = Plateau()
  var earlyStop = EarlyStop()
  /// Of the updates since the last evaluation.
  var recent = LossStatistics()
  /// The weights of the best evaluation; nil while there is none.
  var bestWeights: Checkpoint.Storage?
  var evaluation: Evaluation?
  /// The mean of the weights since validation stopped getting better, where that is wanted.
  let average: WeightAverage?
  /// Updates before the optimiser started, which it does anew where weights are computed from data.
  var optimizerStart = 0

  let task: any SequenceTask
  private let noiseKey: PhiloxKey
  private let schedule: Schedule
  private let batch: Batch

  /// An evaluation under way.
  struct Evaluation {
    let split: DataSplit
    var index = 0
    var statistics = LossStatistics()
    /// Of each part of the split.
    var parts: [LossStatistics]
    /// The model's carried state of the training, which an evaluation may overwrite.
    let carriedState: [UInt8]
  }

  package init(
    model: any TrainableModel, task: any SequenceTask, options: TrainOptions,
    goal: TrainingGoal, noiseKey: PhiloxKey
  ) {
    self.model = model
    self.task = task
    self.options = options
    self.goal = goal
    self.noiseKey = noiseKey
    schedule = Schedule(options)
    optimizer = Optimizer(options, parameters: model.parameters, kernels: model.kernels)
    average =
      options.averagePatience > 0
      ? WeightAverage(model.parameters, kernels: model.kernels) : nil
    batch = Batch(
      shape: task.shape, maximumRows: max(options.batchSize, options.evaluationRows))
  }

  /// The latest value of the goal's metric.
  package var goalValue: Double? {
    history.last { $0.name == goal.metric }?.value
  }

  /// The last value of every metric, by name; with early stop, where the weights are those of the
  /// best evaluation, the values of that one.
  package var metrics: [TrainingPoint] {
    let points =
      options.earlyStopPatience > 0 && earlyStop.bestValue != nil
      ? history.filter { $0.step <= earlyStop.bestStep || $0.name.hasPrefix("test.") } : history
    var last: [String: TrainingPoint] = [:]
    for point in points { last[point.name] = point }
    return last.values.sorted { $0.name < $1.name }
  }

  /// Does one update or evaluates one batch; `end` must be nil.
  ///
  /// Throws where the team cannot go on; the training then ends without a result.
  package func advance() throws(TeamError) {
    precondition(end == nil, "the training is over")
    if evaluation == nil { try update() } else { try evaluateBatch() }
  }

  /// Gets ready for `checkpoint`, on all ranks of a team at the same step.
  package func prepareCheckpoint() throws(TeamError) {
    if evaluation == nil { try model.collectState() }
  }

  private func update() throws(TeamError) {
    if model.prepare(for: step, of: task, batchSize: options.batchSize) { startAnew() }
    task.fillTraining(batch, update: step, batchSize: options.batchSize)
    let statistics = try model.train(batch, update: step, noiseKey: noiseKey)
    guard statistics.loss.isFinite else {
      return diverge(at: step + 1, "the loss", statistics.loss)
    }
    let norm = optimizer.update(learningRate: schedule.rate(update: step, plateau: plateau))
    guard norm.isFinite else {
      return diverge(at: step + 1, "the norm of the gradient", norm)
    }
    recent += statistics
    step += 1
    average?.add()
    if step % options.evaluateEvery == 0 || step == options.steps {
      try model.collectState()
      evaluate(.validation)
    }
  }

  /// What was best before other weights took over does not count, nor does what led there.
  private func startAnew() {
    optimizer.startAnew()
    average?.end()
    optimizerStart = step
    plateau = Plateau()
    earlyStop = EarlyStop()
    bestWeights = nil
    recent = LossStatistics()
  }

  /// Begins an evaluation.
  func evaluate(_ split: DataSplit) {
    average?.show()
    evaluation = Evaluation(
      split: split,
      parts: [LossStatistics](repeating: LossStatistics(), count: task.parts(of: split).count),
      carriedState: Array(model.carriedState))
  }

  private func evaluateBatch() throws(TeamError) {
    guard var current = evaluation else { return }
    let rows = options.evaluationRows
    if current.index < task.evaluationBatchCount(current.split, batchSize: rows) {
      task.fillEvaluation(batch, split: current.split, index: current.index, batchSize: rows)
      let statistics = try model.evaluate(batch)
      current.statistics += statistics
      if let part = task.part(of: current.split, index: current.index, batchSize: rows) {
        current.parts[part] += statistics
      }
      current.index += 1
      evaluation = current
    }
    guard current.index >= task.evaluationBatchCount(current.split, batchSize: rows) else {
      return
    }
    model.carriedState.copyBytes(from: current.carriedState)
    evaluation = nil
    var points: [TrainingPoint] = []
    if current.split == .validation {
      points += self.points(.train, recent)
      recent = LossStatistics()
    }
    points += self.points(current.split, current.statistics)
    for (name, statistics) in zip(task.parts(of: current.split), current.parts) {
      points += self.points(current.split, part: name, statistics)
    }
    if let wrong = points.first(where: { !$0.value.isFinite }) {
      return diverge(at: step, wrong.name, wrong.value)
    }
    history += points
    if current.split == .test {
      end = .complete
    } else if decideEnd(points) {
      // What is shown is what is tested, or the best of what was shown.
      average?.end()
      if options.earlyStopPatience > 0, let bestWeights {
        model.parameters.bytes.copyMemory(from: UnsafeRawBufferPointer(bestWeights.bytes))
      }
      evaluate(.test)
    } else {
      average?.hide()
      if let average, isStuck { average.begin() }
    }
  }

  /// Whether validation is worse than the best of more than `average_patience` evaluations ago: the
  /// trigger of Merity, Keskar and Socher 2018, arXiv:1708.02182.
  private var isStuck: Bool {
    let values = history.filter { $0.name == goal.metric }.map(\.value)
    let earlier = values.dropLast(options.averagePatience + 1)
    guard let last = values.last, let first = earlier.first else { return false }
    let best = earlier.reduce(first) { goal.isBetter($1, than: $0) ? $1 : $0 }
    return !goal.isBetter(last, than: best) && last != best
  }

  /// Draws the conclusions from an evaluation on the validation split; true when it was the last.
  private func decideEnd(_ points: [TrainingPoint]) -> Bool {
    guard step > model.firstUpdate else { return step >= options.steps }
    if let value = points.first(where: { $0.name == goal.metric })?.value {
      let isBetter = earlyStop.observe(value, step: step, goal: goal)
      if isBetter { keepBestWeights() }
      schedule.observe(isBetter: isBetter, plateau: &plateau)
      if stepsToTarget == nil && goal.isReached(by: value) { stepsToTarget = step }
    }
    return step >= options.steps || (goal.stopsAtTarget && stepsToTarget != nil)
      || earlyStop.isExhausted(patience: options.earlyStopPatience)
  }

  private func keepBestWeights() {
    let weights = model.parameters.bytes
    let kept = bestWeights ?? Checkpoint.Storage(byteCount: weights.count)
    kept.bytes.copyMemory(from: UnsafeRawBufferPointer(weights))
    bestWeights = kept
  }

  private func points(
    _ split: DataSplit, part: String? = nil, _ statistics: LossStatistics
  ) -> [TrainingPoint] {
    let prefix = split.rawValue + (part.map { "." + $0 } ?? "")
    return Metrics.metrics(of: statistics, shape: task.shape).map {
      TrainingPoint(step: step, name: "\(prefix).\($0.name)", value: $0.value)
    }
  }

  private func diverge(at step: Int, _ what: String, _ value: Double) {
    // The sign of a nan depends on the processor's kernels and says nothing.
    end = .diverged(step: step, reason: "\(what) is \(value.isNaN ? "nan" : "\(value)")")
  }
}

extension ParameterStore {
  /// The values, all of them.
  var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: values, count: count * precision.size)
  }
}
