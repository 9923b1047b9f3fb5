import Foundation

/// Saves the checkpoint of a real training durably and restores it, again and again, with the code
/// that a trial does it with.
package final class CheckpointBenchmark {
  /// What the numbers of the checkpoint are.
  package enum Contents: String, CaseIterable, Sendable {
    /// Weights and moments after a few updates.
    case trained
    /// Normally distributed, all of them.
    case normal
  }

  package struct Outcome {
    package let save: Timings
    package let restore: Timings
    /// Bytes before they are compressed, and of the file.
    package let contentBytes: Int
    package let fileBytes: Int
    /// Whether every restored byte of weights and moments was as it had been saved.
    package let isVerified: Bool
  }

  private static let updates = 3

  package let parameterCount: Int
  private let trainer: Trainer

  /// A training whose checkpoint has about `bytes`: an LSTM of that size with Adam, in Float, on
  /// associative retrieval.
  package init(bytes: Int, contents: Contents) throws {
    var train = TrainOptions()
    train.batchSize = 16
    train.steps = Self.updates + 1
    train.evaluateEvery = Self.updates + 1
    let task = GeneratedTask(
      AssociativeRetrieval(layout: .art, pairs: 2),
      sizes: GeneratedSizes(data: .online, train: 16, validation: 16, test: 16),
      key: PhiloxKey(1))
    var model = ModelOptions()
    model.embeddingSize = 100
    var cell = LSTM.Options()
    func parameters(hidden: Int) -> Int {
      cell.hiddenSize = hidden
      return RecurrentModel(options: model, cell: LSTM(options: cell), shape: task.shape)
        .recorded().parameterCount
    }
    // Weights and two moments.
    var hidden = 1
    while 3 * 4 * parameters(hidden: hidden + 1) <= bytes { hidden += 1 }
    parameterCount = parameters(hidden: hidden)
    let network = try Network(
      model: model, cell: LSTM(options: cell), shape: task.shape, batchSize: train.batchSize,
      initializationKey: PhiloxKey(2))
    trainer = Trainer(
      model: network, task: task, options: train, goal: TrainingGoal(), noiseKey: PhiloxKey(3))
    for _ in 0..<Self.updates { try trainer.advance() }
    guard contents == .normal else { return }
    for (i, numbers) in numbers.enumerated() {
      var random = PhiloxStream(key: PhiloxKey(4), stream: UInt64(i))
      for j in numbers.indices { numbers[j] = Float(random.normal()) }
    }
  }

  /// Weights and moments.
  private var numbers: [UnsafeMutableBufferPointer<Float>] {
    ([trainer.model.parameters.bytes] + trainer.optimizer.moments.map(\.bytes)).map {
      $0.bindMemory(to: Float.self)
    }
  }

  /// Saves into a folder of `directory` and restores from there, `repetitions` times each in turn.
  package func measure(directory: String, repetitions: Int) throws -> Outcome {
    let folder = CheckpointFolder(root: directory, identity: String(repeating: "0", count: 32))
    let saved = numbers.map(Array.init)
    var (saves, restores): ([Double], [Double]) = ([], [])
    var isVerified = true
    // Once more than is measured, to warm up.
    for repetition in 0...repetitions {
      let save = try Timings.once {
        try folder.save(trainer.checkpoint(identity: folder.identity))
      }
      for numbers in numbers { numbers.update(repeating: 0) }
      let restore = try Timings.once {
        guard let checkpoint = folder.latest().checkpoint else { return isVerified = false }
        try trainer.restore(checkpoint, path: folder.path)
      }
      isVerified = isVerified && zip(numbers, saved).allSatisfy { $0.elementsEqual($1) }
      if repetition > 0 {
        saves.append(save)
        restores.append(restore)
      }
    }
    let contents = trainer.checkpoint(identity: folder.identity).sections
    let file = try FileManager.default.attributesOfItem(atPath: folder.path(step: trainer.step))
    return Outcome(
      save: Timings(seconds: saves), restore: Timings(seconds: restores),
      contentBytes: contents.reduce(0) { $0 + $1.bytes.count },
      fileBytes: file[.size] as? Int ?? 0, isVerified: isVerified)
  }
}
