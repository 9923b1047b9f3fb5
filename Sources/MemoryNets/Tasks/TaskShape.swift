/// What a task's sequences look like to a model.
package struct TaskShape: Hashable, Sendable {
  package enum Input: Hashable, Sendable {
    /// One token a step, 0..<vocabulary.
    case tokens(vocabulary: Int)
    /// A vector of `size` numbers a step.
    case features(size: Int)
  }

  package enum Loss: Hashable, Sendable {
    /// Targets are classes, 0..<outputSize; natural logarithm.
    case softmaxCrossEntropy
    /// Targets are `outputSize` numbers in {0, 1}; summed over outputs, natural logarithm.
    case sigmoidCrossEntropy
    /// Targets are `outputSize` numbers; the sum of squares over outputs.
    case squaredError
    /// Targets are `outputSize` numbers; half the sum of squares over outputs.
    case halfSquaredError
    /// Targets are `outputSize` numbers; the mean of squares over outputs.
    case meanSquaredError
    /// Targets are `outputSize` numbers, -1 or 1; the mean of squares over outputs, whose signs are
    /// the answers.
    case squaredErrorOfSigns
  }

  package enum OutputSteps: Hashable, Sendable {
    /// The model answers once, after the last step.
    case last
    /// The model answers at every step; the batch's weights say which answers count.
    case every
  }

  /// What the loss that is minimised is averaged over; the metric `loss` is over answers always.
  package enum LossMean: String, Codable, CaseIterable, Hashable, Sendable {
    case answers, sequences
  }

  /// What is measured beside the loss and what belongs to it.
  package enum Measure: String, CaseIterable, Hashable, Sendable {
    /// e to the loss.
    case perplexity
    /// The loss above what the sampler itself would lose on the same sequences (`Batch.bound`).
    case excess
  }

  package var input: Input
  package var outputSize: Int
  package var loss: Loss
  package var outputSteps: OutputSteps
  /// No batch is longer than this many steps.
  package var maximumSteps: Int
  /// No batch that is trained on is longer than this many steps.
  package var maximumTrainingSteps: Int
  package var lossMean = LossMean.answers
  package var measures: [Measure] = []
  /// Whether batches may continue each other (`Batch.continuesState`).
  package var carriesState: Bool

  package init(
    input: Input, outputSize: Int, loss: Loss, outputSteps: OutputSteps, maximumSteps: Int,
    maximumTrainingSteps: Int? = nil, carriesState: Bool = false
  ) {
    self.input = input
    self.outputSize = outputSize
    self.loss = loss
    self.outputSteps = outputSteps
    self.maximumSteps = maximumSteps
    self.maximumTrainingSteps = maximumTrainingSteps ?? maximumSteps
    self.carriesState = carriesState
  }
}
