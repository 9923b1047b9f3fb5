import Foundation
import MemoryNets
import Testing

@Suite struct SyntheticCorpusTests {
  @Test func aBlockIsAFunctionOfSeedAndNumber() {
    let one = ZipfMarkovText(words: 500, seed: 7)
    let blocks = (0..<3).map(one.block)
    let other = ZipfMarkovText(words: 500, seed: 7)
    #expect(other.block(2) == blocks[2] && other.block(0) == blocks[0])
    #expect(blocks[0] != blocks[1])
    #expect(ZipfMarkovText(words: 500, seed: 8).block(0) != blocks[0])
    for block in blocks {
      #expect(block.count == ZipfMarkovText.blockTokens && block.last == 1)
      #expect(block.allSatisfy { 1..<502 ~= $0 })
      #expect(!zip([1] + block, block).contains { $0 == 1 && $1 == 1 })
    }
  }

  @Test func frequenciesAreThoseOfTheLanguage() {
    let text = ZipfMarkovText(words: 300, seed: 1)
    let tokens = (0..<8).flatMap(text.block)
    let ends = tokens.count { $0 == 1 }
    #expect(abs(Double(ends) / Double(tokens.count) - 1.0 / 22) < 0.001)
    // At the start of a sentence words come with p.
    let weights = (0..<300).map { pow(Double($0) + 2.7, -1.05) }
    let starts = zip(tokens, tokens.dropFirst()).filter { $0.0 == 1 }.map(\.1)
    for rank in [0, 1, 5] {
      let p = weights[rank] / weights.reduce(0, +)
      let part = Double(starts.count { $0 == Int32(rank) + 2 }) / Double(starts.count)
      #expect(abs(part - p) < 5 * (p / Double(starts.count)).squareRoot(), "rank \(rank)")
    }
  }

  /// The loss of a predictor that counts pairs, on text that it has not counted, comes from above.
  @Test func theEntropyRateIsWhatPairsOfTokensTend() {
    let text = ZipfMarkovText(words: 12, seed: 3)
    var pairs = [[Double]](repeating: [Double](repeating: 0.5, count: 14), count: 14)
    var last = 1
    for block in 0..<12 {
      for token in text.block(block) {
        pairs[last][Int(token)] += 1
        last = Int(token)
      }
    }
    let totals = pairs.map { $0.reduce(0, +) }
    var loss = 0.0
    let test = (12..<24).flatMap(text.block)
    for token in test {
      loss -= log(pairs[last][Int(token)] / totals[last])
      last = Int(token)
    }
    loss /= Double(test.count)
    let rate = text.entropyRate
    // Three standard errors of the mean of 786,432 losses are 0.003.
    #expect(abs(loss - rate) < 0.004, "\(loss) and \(rate)")
  }

  @Test func aSmallNetComesNearTheEntropyFromAbove() throws {
    var synthetic = SyntheticCorpus()
    (synthetic.tokens, synthetic.evaluationTokens, synthetic.words) = (1 << 17, 1 << 16, 20)
    let corpus = try synthetic.corpus()
    let rate = try #require(corpus.entropyRate)
    var options = LanguageModelOptions()
    (options.unroll, options.validationStreams, options.testStreams) = (20, 64, 64)
    let task = try LanguageModelTask(options: options, corpus: corpus, key: PhiloxKey(1))
    #expect(task.baselines.contains { $0.name == TrivialBaseline.ideal && $0.value == exp(rate) })
    var model = ModelOptions()
    model.embeddingSize = 16
    var cell = LSTM.Options()
    cell.hiddenSize = 24
    let network = try Network(
      model: model, cell: LSTM(options: cell), shape: task.shape, batchSize: 64,
      initializationKey: PhiloxKey(2))
    var train = TrainOptions()
    (train.batchSize, train.steps, train.evaluateEvery) = (64, 400, 200)
    train.learningRate = 1e-2
    let trainer = Trainer(
      model: network, task: task, options: train,
      goal: TrainingGoal(metric: "validation.loss", isMaximized: false), noiseKey: PhiloxKey(5))
    while trainer.end == nil { try trainer.advance() }
    let losses = trainer.history.filter { $0.name == "validation.loss" }.map(\.value)
    let unigram = try #require(task.baselines.first { $0.metric == "validation.loss" }).value
    #expect(losses.count == 2 && losses[0] < unigram)
    #expect(losses.allSatisfy { $0 > rate - 0.01 })
    #expect(losses[1] < rate + 0.3 * (unigram - rate), "\(losses), \(rate) to \(unigram)")
  }
}
