/// The sequences of one update or one evaluation, padded to the same number of steps.
///
/// Allocated once for the largest batch of a task and filled in place again and again. Arrays are
/// row-major with the current `steps` and `rows`: element (step, row) stands at `step * rows + row`.
package final class Batch {
  package let shape: TaskShape
  package let maximumRows: Int

  /// Sequences in this batch, 1...maximumRows.
  package private(set) var rows = 0
  /// Steps of the longest sequence, 1...shape.maximumSteps.
  package private(set) var steps = 0
  /// Steps of these sequences that earlier batches have shown: 0 where they begin, else row r goes on
  /// where row r of the previous batch ended (truncated back-propagation).
  package var firstStep = 0
  /// Whether the state is that of the previous batch's end.
  package var continuesState: Bool { firstStep > 0 }

  /// The loss of all answers to the sampler itself, in nats; 0 where the task states none.
  package var bound = 0.0

  /// (steps, rows): the input tokens; only for `Input.tokens`.
  package let tokens: UnsafeMutableBufferPointer<Int32>
  /// (steps, rows, size): the input vectors; only for `Input.features`.
  package let features: UnsafeMutableBufferPointer<Float>
  /// (answers, rows): the target classes, for softmax cross-entropy; answers is 1 or `steps`.
  package let classes: UnsafeMutableBufferPointer<Int32>
  /// (answers, rows, outputSize): the target numbers, for the other losses.
  package let targets: UnsafeMutableBufferPointer<Float>
  /// (answers, rows): how much each answer counts; 0 on padding.
  package let weights: UnsafeMutableBufferPointer<Float>

  package init(shape: TaskShape, maximumRows: Int) {
    self.shape = shape
    self.maximumRows = maximumRows
    let inputs = shape.maximumSteps * maximumRows
    let answers = (shape.outputSteps == .last ? 1 : shape.maximumSteps) * maximumRows
    switch shape.input {
    case .tokens:
      tokens = .allocate(capacity: inputs)
      features = .allocate(capacity: 0)
    case .features(let size):
      tokens = .allocate(capacity: 0)
      features = .allocate(capacity: inputs * size)
    }
    let isClasses = shape.loss == .softmaxCrossEntropy
    classes = .allocate(capacity: isClasses ? answers : 0)
    targets = .allocate(capacity: isClasses ? 0 : answers * shape.outputSize)
    weights = .allocate(capacity: answers)
    tokens.initialize(repeating: 0)
    features.initialize(repeating: 0)
    classes.initialize(repeating: 0)
    targets.initialize(repeating: 0)
    weights.initialize(repeating: 0)
  }

  deinit {
    tokens.deallocate()
    features.deallocate()
    classes.deallocate()
    targets.deallocate()
    weights.deallocate()
  }

  /// The number of steps at which the model answers.
  package var answers: Int { shape.outputSteps == .last ? 1 : steps }

  /// The sum of the weights.
  package var totalWeight: Double {
    var sum = 0.0
    for i in 0..<answers * rows { sum += Double(weights[i]) }
    return sum
  }

  /// Sets the extent; the contents are the caller's to fill, all of them.
  package func resize(rows: Int, steps: Int) {
    precondition(1...maximumRows ~= rows, "\(rows) rows, room for \(maximumRows)")
    precondition(1...shape.maximumSteps ~= steps, "\(steps) steps, at most \(shape.maximumSteps)")
    self.rows = rows
    self.steps = steps
    firstStep = 0
    bound = 0
  }

  /// Takes over some rows of another batch of the same shape, with all that belongs to them.
  func copyRows(_ range: Range<Int>, of other: Batch) {
    resize(rows: range.count, steps: other.steps)
    firstStep = other.firstStep
    func copy<Element>(
      _ source: UnsafeMutableBufferPointer<Element>, to copy: UnsafeMutableBufferPointer<Element>,
      lines: Int, size: Int
    ) {
      guard let from = source.baseAddress, let to = copy.baseAddress, !copy.isEmpty else { return }
      for line in 0..<lines {
        (to + line * rows * size).update(
          from: from + (line * other.rows + range.lowerBound) * size, count: rows * size)
      }
    }
    if case .features(let size) = shape.input {
      copy(other.features, to: features, lines: steps, size: size)
    }
    copy(other.tokens, to: tokens, lines: steps, size: 1)
    copy(other.classes, to: classes, lines: answers, size: 1)
    copy(other.targets, to: targets, lines: answers, size: shape.outputSize)
    copy(other.weights, to: weights, lines: answers, size: 1)
  }
}
