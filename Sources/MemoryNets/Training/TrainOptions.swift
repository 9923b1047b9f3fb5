/// The rule by which gradients change weights.
package enum OptimizerKind: String, Codable, CaseIterable, Sendable {
  case sgd, rmsprop, adam
}

/// How the learning rate changes over the updates.
package enum ScheduleKind: String, Codable, CaseIterable, Sendable {
  case constant, step, plateau, cosine
}

/// The options under `train:`.
package struct TrainOptions: Options {
  package var optimizer = OptimizerKind.adam
  package var learningRate = 1e-3
  /// Of sgd and rmsprop; 0 is none.
  package var momentum = 0.0
  /// Sgd: looks ahead along the momentum.
  package var nesterov = false
  /// Adam: how much of the mean of gradients is kept at each update.
  package var beta1 = 0.9
  /// Adam: how much of the mean of squared gradients is kept at each update.
  package var beta2 = 0.999
  package var epsilon = 1e-8
  /// Rmsprop: how much of the mean of squared gradients is kept at each update.
  package var smoothing = 0.99
  /// Rmsprop: divides by the standard deviation instead of the root mean square.
  package var centered = false
  /// The largest Euclidean norm of the gradient of all trained parameters; 0 is no limit.
  package var clipNorm = 0.0
  /// The largest magnitude of an element of the gradient, applied before the norm; 0 is no limit.
  package var clipValue = 0.0
  /// Added to the gradient for each unit of weight, after clipping; some cells exempt parameters.
  package var weightDecay = 0.0
  /// Adam: weight decay shrinks the weights themselves and stays out of the moments.
  package var decoupled = false
  /// Sequences an update.
  package var batchSize = 128
  /// Sequences of a batch whose activations are held at a time, where a model holds those of many:
  /// gradients are accumulated over the parts of a batch; 0 takes it whole.
  package var microBatchSize = 0
  /// The budget: updates at most.
  package var steps = 10_000
  /// Updates between two evaluations on the validation split.
  package var evaluateEvery = 200
  /// Sequences a batch of an evaluation; 0 takes `batch_size`.
  package var evaluateBatchSize = 0
  package var schedule = ScheduleKind.constant
  /// Updates between two reductions of the step schedule.
  package var scheduleEvery = 1000
  /// Updates before the first reduction of the step schedule; 0 takes `schedule_every`.
  package var scheduleStart = 0
  /// What the step and plateau schedules multiply the learning rate by.
  package var scheduleFactor = 0.5
  /// Evaluations without a better one after which the plateau schedule reduces the rate.
  package var schedulePatience = 5
  /// The learning rate that no schedule goes below; where the cosine ends.
  package var scheduleMinimum = 0.0
  /// Updates over which the learning rate rises linearly to its value.
  package var warmup = 0
  /// Evaluations without a better one after which training ends; 0 is never.
  package var earlyStopPatience = 0
  /// Weights are averaged from the evaluation on that is worse than the best of those more than this
  /// many before it, and the mean is what is evaluated; 0 is never.
  package var averagePatience = 0
  /// Groups of parameters that keep their initial values.
  package var freeze: [ParameterGroup] = []

  package init() {}

  /// Rows of an evaluation batch, with the default resolved.
  package var evaluationRows: Int { evaluateBatchSize == 0 ? batchSize : evaluateBatchSize }

  /// Sequences of a training batch that are held at a time, with the default resolved.
  package var microBatchRows: Int { microBatchSize == 0 ? batchSize : microBatchSize }

  package func validate() -> [OptionProblem] {
    var problems: [OptionProblem] = []
    func need(_ isRight: Bool, _ option: String, _ value: Any, _ right: String) {
      if !isRight { problems.append(OptionProblem(option, "is \(value); \(right)")) }
    }
    func positive(_ option: String, _ value: Double) {
      need(value > 0 && value.isFinite, option, value, "a number above 0 is needed")
    }
    func notNegative(_ option: String, _ value: Double) {
      need(value >= 0 && value.isFinite, option, value, "0 or a number above 0 is needed")
    }
    func fraction(_ option: String, _ value: Double) {
      need(value >= 0 && value < 1, option, value, "0 or a number below 1 is needed")
    }
    func count(_ option: String, _ value: Int, from least: Int) {
      need(value >= least, option, value, "at least \(least) is needed")
    }
    positive("learning_rate", learningRate)
    fraction("momentum", momentum)
    fraction("beta1", beta1)
    fraction("beta2", beta2)
    positive("epsilon", epsilon)
    fraction("smoothing", smoothing)
    notNegative("clip_norm", clipNorm)
    notNegative("clip_value", clipValue)
    notNegative("weight_decay", weightDecay)
    count("batch_size", batchSize, from: 1)
    count("micro_batch_size", microBatchSize, from: 0)
    need(
      microBatchSize <= batchSize, "micro_batch_size", microBatchSize,
      "at most the batch_size, \(batchSize), is possible")
    count("steps", steps, from: 1)
    count("evaluate_every", evaluateEvery, from: 1)
    count("evaluate_batch_size", evaluateBatchSize, from: 0)
    count("schedule_every", scheduleEvery, from: 1)
    count("schedule_start", scheduleStart, from: 0)
    need(
      scheduleFactor > 0 && scheduleFactor <= 1, "schedule_factor", scheduleFactor,
      "a number above 0 and at most 1 is needed")
    count("schedule_patience", schedulePatience, from: 1)
    notNegative("schedule_minimum", scheduleMinimum)
    need(
      schedule == .constant || scheduleMinimum <= learningRate, "schedule_minimum",
      scheduleMinimum, "at most the learning_rate, \(learningRate), is possible")
    count("warmup", warmup, from: 0)
    need(warmup <= steps, "warmup", warmup, "at most the \(steps) of steps is possible")
    count("early_stop_patience", earlyStopPatience, from: 0)
    count("average_patience", averagePatience, from: 0)
    need(
      !nesterov || (optimizer == .sgd && momentum > 0), "nesterov", nesterov,
      "it needs optimizer sgd with a momentum above 0")
    need(
      !centered || optimizer == .rmsprop, "centered", centered, "it needs optimizer rmsprop")
    need(!decoupled || optimizer == .adam, "decoupled", decoupled, "it needs optimizer adam")
    need(
      momentum == 0 || optimizer != .adam, "momentum", momentum,
      "adam has beta1; momentum is of sgd and rmsprop")
    need(
      Set(freeze).count < ParameterGroup.allCases.count, "freeze",
      freeze.map(\.rawValue), "at least one group must be trained")
    return problems
  }
}
