import Foundation
import MemoryNets
import TestSupport
import Testing

@Suite struct LanguageModelTests {
  private func task(
    _ sizes: [Int], _ change: (inout LanguageModelOptions) -> Void = { _ in }
  ) throws -> LanguageModelTask {
    var options = LanguageModelOptions()
    options.rotate = false
    change(&options)
    return try LanguageModelTask(
      options: options, corpus: try TaskSample.numberedCorpus(sizes), key: PhiloxKey(4))
  }

  /// The tokens of a split and the `<eos>` before them.
  private func tokens(_ task: LanguageModelTask, _ split: DataSplit) -> [Int] {
    [1] + (0..<task.corpus.count(of: split)).map { Int(task.corpus.token($0, of: split)) }
  }

  @Test func rowsArePartsOfTheTextAndPiecesContinueThem() throws {
    let task = try task([50, 10, 10]) { $0.unroll = 5 }
    let text = tokens(task, .train)
    let reader = BatchReader(task, batchSize: 4)
    // Rows of 12 tokens: pieces of 5, 5 and 2 steps; two tokens are left over.
    for epoch in 0..<2 {
      let batches = (0..<3).map { reader.training(3 * epoch + $0) }
      #expect(batches.map(\.steps) == [5, 5, 2])
      #expect(batches.map(\.continuesState) == [false, true, true])
      for row in 0..<4 {
        #expect(batches.flatMap { $0.tokens(row: row) } == Array(text[12 * row..<12 * row + 12]))
        #expect(
          batches.flatMap { $0.classes(row: row) } == Array(text[12 * row + 1...12 * row + 12]))
      }
    }
  }

  @Test func anEpochThatRotatesReadsInACircleFromElsewhere() throws {
    let task = try task([40, 10, 10]) { ($0.unroll, $0.rotate) = (10, true) }
    let text = Array(tokens(task, .train).dropFirst())
    let reader = BatchReader(task, batchSize: 4)
    let epochs = (0..<3).map { epoch in
      let batch = reader.training(epoch)
      return (0..<4).flatMap { batch.classes(row: $0) }
    }
    #expect(Set(epochs).count == 3)
    for epoch in epochs {
      let start = (0..<40).first { shift in
        (0..<40).allSatisfy { epoch[$0] == text[(shift + $0) % 40] }
      }
      #expect(start != nil)
    }
  }

  @Test(arguments: [1, 3, 4, 7, 23])
  func anEvaluationPredictsEveryTokenOnce(streams: Int) throws {
    let task = try task([40, 23, 31]) {
      ($0.unroll, $0.validationStreams, $0.testStreams) = (4, streams, streams)
    }
    for split in [DataSplit.validation, .test] {
      let text = tokens(task, split)
      let batches = BatchReader(task, batchSize: 8).evaluation(split)
      #expect(batches[0].rows <= min(streams, 8))
      #expect(batches.allSatisfy { $0.rows == batches[0].rows })
      #expect(batches.map(\.continuesState) == batches.indices.map { $0 > 0 })
      var (inputs, answers): ([Int], [Int]) = ([], [])
      for row in 0..<batches[0].rows {
        for batch in batches {
          let weights = batch.weights(row: row)
          inputs += zip(batch.tokens(row: row), weights).filter { $0.1 == 1 }.map(\.0)
          answers += zip(batch.classes(row: row), weights).filter { $0.1 == 1 }.map(\.0)
        }
      }
      #expect(inputs == Array(text.dropLast()))
      #expect(answers == Array(text.dropFirst()))
    }
  }

  @Test func aRowIsAFunctionOfUpdateRowAndBatchSize() throws {
    let task = try task([50, 10, 10]) { ($0.unroll, $0.rotate) = (5, true) }
    let four = BatchReader(task, batchSize: 4)
    let direct = BatchReader(
      try self.task([50, 10, 10]) { ($0.unroll, $0.rotate) = (5, true) },
      batchSize: 4)
    let inOrder = (0..<9).map(four.training)
    for update in [7, 0, 4] { #expect(direct.training(update) == inOrder[update]) }
  }

  @Test func wordFrequenciesAreWhatIsReachedWithoutMemory() throws {
    var options = CorpusOptions()
    options.split = .names
    let texts = [("train", "a a b\n"), ("valid", "b\n"), ("test", "a z\n")]
    let corpus = try CorpusBuilder(options).corpus(
      of: TextsInMemory(texts.map { ($0.0, Array($0.1.utf8)) }), path: "x")
    let task = try LanguageModelTask(
      options: LanguageModelOptions(), corpus: corpus, key: PhiloxKey(1))
    // Parts of 8: <unk> 1, <eos> 2, a 3, b 2.
    let expected = [
      "validation.loss": -(log(2.0 / 8) + log(2.0 / 8)) / 2,
      "test.loss": -(log(3.0 / 8) + log(1.0 / 8) + log(2.0 / 8)) / 3,
    ]
    for (metric, value) in expected {
      let found = try #require(task.baselines.first { $0.metric == metric })
      #expect(abs(found.value - value) < 1e-12)
    }
    #expect(task.baselines.contains { $0.metric == "test.perplexity" })
  }

  @Test func anEmptySplitIsRefused() {
    #expect {
      var options = CorpusOptions()
      options.split = .names
      let corpus = try CorpusBuilder(options).corpus(
        of: TextsInMemory([("train", Array("a\n".utf8))]), path: "one.corpus")
      _ = try LanguageModelTask(
        options: LanguageModelOptions(), corpus: corpus, key: PhiloxKey(1))
    } throws: { "\($0)".hasPrefix("one.corpus: is damaged: it has no text for validation") }
  }

  @Test func aSmallNetLearnsATextByHeart() throws {
    let task = try task([60, 60, 60]) { ($0.unroll, $0.validationStreams) = (10, 1) }
    var model = ModelOptions()
    (model.layers, model.embeddingSize, model.tied, model.initialRange) = (2, 24, true, 0.2)
    var cell = LSTM.Options()
    cell.hiddenSize = 24
    let network = try Network(
      model: model, cell: LSTM(options: cell), shape: task.shape, batchSize: 4,
      initializationKey: PhiloxKey(3))
    var train = TrainOptions()
    (train.batchSize, train.steps, train.evaluateEvery) = (4, 600, 600)
    train.learningRate = 1e-2
    let trainer = Trainer(
      model: network, task: task, options: train,
      goal: TrainingGoal(metric: "validation.perplexity", isMaximized: false),
      noiseKey: PhiloxKey(5))
    while trainer.end == nil { try trainer.advance() }
    let value = try #require(trainer.goalValue)
    let blind = try #require(task.baselines.first { $0.metric == "validation.perplexity" }).value
    #expect(value < 8 && blind > 30, "perplexity \(value), of word frequencies \(blind)")
  }
}
