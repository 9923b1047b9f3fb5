import Foundation

/// Language modelling: predict each token of a text from those before it.
///
/// The training text is cut into as many rows as a batch has, and these into pieces that continue each
/// other's state; the gradient stops at a piece's start (truncated back-propagation through time). Every
/// epoch begins with an empty state and, where it rotates, at another place of the text.
package final class LanguageModelTask: SequenceTask {
  package let shape: TaskShape
  package let baselines: [TrivialBaseline]
  package let corpus: Corpus
  package var dataDigest: String { corpus.digest }
  package let vocabularyDigest: String
  package var byteCount: Int { corpus.byteCount }

  private let options: LanguageModelOptions
  private var startKey: PhiloxKey

  /// Throws where a split is empty.
  package init(
    options: LanguageModelOptions, corpus: Corpus, key: PhiloxKey
  ) throws(TaskError) {
    for split in DataSplit.allCases where corpus.count(of: split) == 0 {
      throw .damagedFile(
        path: corpus.path, problem: "it has no text for \(split.rawValue)", source: Corpus.source)
    }
    self.options = options
    self.corpus = corpus
    let vocabulary = corpus.vocabularySize
    var shape = TaskShape(
      input: .tokens(vocabulary: vocabulary), outputSize: vocabulary, loss: .softmaxCrossEntropy,
      outputSteps: .every, maximumSteps: options.unroll, carriesState: true)
    shape.lossMean = options.lossMean
    shape.measures = [.perplexity]
    self.shape = shape
    let words = try corpus.vocabulary()
    vocabularyDigest = words.digest
    baselines = languageModelBaselines(corpus, counts: words.counts)
    startKey = key.derived("order")
  }

  package func orderTraining(by key: PhiloxKey) { startKey = key }

  package func fillTraining(_ batch: Batch, update: Int, batchSize: Int) {
    precondition(update >= 0 && batchSize > 0, "update \(update) of \(batchSize) rows")
    let count = corpus.count(of: .train)
    let streams = TextStreams.training(count: count, rows: batchSize, unroll: options.unroll)
    let (epoch, piece) = update.quotientAndRemainder(dividingBy: streams.pieces)
    var draws = PhiloxStream(key: startKey, stream: UInt64(epoch))
    let start = options.rotate ? draws.place(below: count) : 0
    streams.fill(batch, piece: piece, of: corpus, .train, start: start)
  }

  package func evaluationBatchCount(_ split: DataSplit, batchSize: Int) -> Int {
    evaluation(split, batchSize).pieces
  }

  package func fillEvaluation(_ batch: Batch, split: DataSplit, index: Int, batchSize: Int) {
    let streams = evaluation(split, batchSize)
    precondition(0..<streams.pieces ~= index, "batch \(index) of \(streams.pieces)")
    streams.fill(batch, piece: index, of: corpus, split)
  }

  private func evaluation(_ split: DataSplit, _ batchSize: Int) -> TextStreams {
    let streams = split == .validation ? options.validationStreams : options.testStreams
    return .evaluation(
      count: corpus.count(of: split), rows: min(streams, batchSize), unroll: options.unroll)
  }
}

extension PhiloxStream {
  /// A place in 0..<`count`, for any count.
  fileprivate mutating func place(below count: Int) -> Int {
    count <= Int(UInt32.max) ? integer(below: count) : Int(next() % UInt64(count))
  }
}

/// What is reached without memory, and the least that is possible where it is known.
///
/// `word frequencies` gives every token the part (n + 1) / (N + V) of the N training tokens, of which n
/// are this one, V being the size of the vocabulary.
private func languageModelBaselines(_ corpus: Corpus, counts: [Int]) -> [TrivialBaseline] {
  let total = counts.reduce(Double(counts.count)) { $0 + Double($1) }
  let losses = counts.map { log(total) - log(Double($0) + 1) }
  var baselines: [TrivialBaseline] = []
  for split in [DataSplit.validation, .test] {
    let count = corpus.count(of: split)
    var loss = 0.0
    for i in 0..<count { loss += losses[Int(corpus.token(i, of: split))] }
    loss /= Double(count)
    for (metric, value) in [("loss", loss), ("perplexity", exp(loss))] {
      baselines.append(
        TrivialBaseline(
          name: "word frequencies", metric: "\(split.rawValue).\(metric)", value: value))
    }
  }
  if let rate = corpus.entropyRate {
    baselines.append(
      TrivialBaseline(name: TrivialBaseline.ideal, metric: "perplexity", value: exp(rate)))
  }
  return baselines
}
