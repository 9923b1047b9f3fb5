/// Which words of a story are to be predicted.
package enum BabiScoring: String, Codable, CaseIterable, Sendable {
  /// The answers, after a question mark.
  case answers
  /// Every word but the first, as a language model does.
  case words
}

/// The options of `catbabi`.
package struct CatBabiOptions: Options {
  /// The published set.
  package var set = BabiSet.en
  /// Which words are to be predicted.
  package var scoring = BabiScoring.answers
  /// Stories that follow each other before a row begins anew.
  package var stories = 50
  /// Steps of a piece of truncated back-propagation.
  package var unroll = 200

  package init() {}

  package func validate() -> [OptionProblem] {
    [("stories", stories), ("unroll", unroll)].compactMap { name, value in
      1...1_000_000 ~= value
        ? nil : OptionProblem(name, "is \(value); 1 to 1000000 are possible")
    }
  }
}

/// Stories and questions of all bAbI tasks one after the other, word by word.
///
/// The stories of all tasks are put into random order and chained, `stories` of them to a sequence;
/// a chain is cut into pieces that continue each other's state, and each epoch has other chains. At a
/// question mark the next word is the answer. After Schlag, Munkhdalai and Schmidhuber, "Learning
/// Associative Inference Using Fast Weight Memory", ICLR 2021, arXiv:2011.07831, where a chain never
/// ends; the split is ours, so that figures are not comparable with published ones.
package final class CatBabi: SequenceTask {
  package let shape: TaskShape
  package let baselines: [TrivialBaseline]
  package let dataDigest: String

  private let options: CatBabiOptions
  private let set: BabiStories
  private let dealKey: PhiloxKey
  private var order: EpochOrder
  /// Of one batch size: where its updates are, and the last epoch used.
  private var batchSize = 0
  private var places = EpochPlaces()
  private var current: (epoch: Int, chains: StoryChains, plan: PiecePlan)?
  private var evaluations: [DataSplit: (batchSize: Int, chains: StoryChains, plan: PiecePlan)] = [:]

  package init(options: CatBabiOptions, set: BabiStories, key: PhiloxKey) {
    self.options = options
    self.set = set
    let vocabulary = set.vocabulary.count
    shape = TaskShape(
      input: .tokens(vocabulary: vocabulary), outputSize: vocabulary, loss: .softmaxCrossEntropy,
      outputSteps: .every, maximumSteps: options.unroll, carriesState: true)
    baselines = babiBaselines(set, options.scoring)
    dataDigest = set.digest
    dealKey = key.derived("deal")
    order = EpochOrder(count: set.train.count, key: key.derived("order"))
  }

  package var byteCount: Int {
    let words = DataSplit.allCases.reduce(0) { $0 + set[$1].words.count }
    // The set, the chains of an epoch and those of the evaluations.
    return 3 * words * MemoryLayout<Int32>.stride + order.byteCount
  }

  package func orderTraining(by key: PhiloxKey) {
    order = EpochOrder(count: set.train.count, key: key)
    batchSize = 0
  }

  package func fillTraining(_ batch: Batch, update: Int, batchSize: Int) {
    precondition(update >= 0 && batchSize > 0, "update \(update) of \(batchSize) rows")
    if batchSize != self.batchSize {
      self.batchSize = batchSize
      places = EpochPlaces()
      current = nil
    }
    let (epoch, index) = places.place(of: update) { training($0).plan.pieces.count }
    let (chains, plan) = training(epoch)
    fill(batch, plan.pieces[index], plan, chains)
  }

  package func evaluationBatchCount(_ split: DataSplit, batchSize: Int) -> Int {
    evaluation(split, batchSize).plan.pieces.count
  }

  package func fillEvaluation(_ batch: Batch, split: DataSplit, index: Int, batchSize: Int) {
    let (chains, plan) = evaluation(split, batchSize)
    precondition(plan.pieces.indices ~= index, "batch \(index) of \(plan.pieces.count)")
    fill(batch, plan.pieces[index], plan, chains)
  }

  private func training(_ epoch: Int) -> (chains: StoryChains, plan: PiecePlan) {
    if let current, current.epoch == epoch { return (current.chains, current.plan) }
    current = nil
    let stories = order.sequences(ofEpoch: epoch).map(Int.init)
    let chains = StoryChains(stories, of: set.train, length: options.stories)
    // The chains are dealt at random: their own order does.
    let rows = min(batchSize, chains.count)
    let plan = PiecePlan(
      sequences: Array(0..<chains.count),
      groups: (0..<chains.count / rows).map { $0 * rows..<($0 + 1) * rows },
      unroll: options.unroll, lengths: chains)
    current = (epoch, chains, plan)
    return (chains, plan)
  }

  private func evaluation(
    _ split: DataSplit, _ batchSize: Int
  ) -> (chains: StoryChains, plan: PiecePlan) {
    let made = evaluations[split]
    if let made, made.batchSize == batchSize { return (made.chains, made.plan) }
    let chains = made?.chains ?? deal(split)
    let plan = PiecePlan.evaluation(of: chains, batchSize: batchSize, unroll: options.unroll)
    evaluations[split] = (batchSize, chains, plan)
    return (chains, plan)
  }

  /// The chains of an evaluation, the same in each.
  private func deal(_ split: DataSplit) -> StoryChains {
    var stories = Array(0..<set[split].count)
    var draws = PhiloxStream(key: dealKey.derived(split.rawValue), stream: 0)
    draws.shuffle(&stories)
    return StoryChains(stories, of: set[split], length: options.stories)
  }

  private func fill(
    _ batch: Batch, _ piece: PiecePlan.Piece, _ plan: PiecePlan, _ chains: StoryChains
  ) {
    batch.resize(rows: piece.rows.count, steps: piece.steps)
    batch.firstStep = piece.firstStep
    for row in 0..<batch.rows {
      let chain = plan.sequences[piece.rows.lowerBound + row]
      let first = chains.starts[chain] + piece.firstStep
      let steps = chains.steps(of: chain) - piece.firstStep
      for step in 0..<piece.steps {
        let place = step * batch.rows + row
        let isWithin = step < steps
        let word = isWithin ? chains.words[first + step] : 0
        batch.tokens[place] = word
        batch.classes[place] = isWithin ? chains.words[first + step + 1] : 0
        let counts = options.scoring == .words || word == set.question
        batch.weights[place] = isWithin && counts ? 1 : 0
      }
    }
  }
}

/// Stories one after the other, cut into sequences of the same number of stories.
struct StoryChains: SequenceLengths {
  private(set) var words: [Int32] = []
  /// Chain i is words[starts[i]..<starts[i + 1]].
  private(set) var starts: [Int] = [0]

  /// Chains of `length` of the `stories`; the last one may be shorter.
  init(_ stories: [Int], of split: BabiStories.Split, length: Int) {
    words.reserveCapacity(split.words.count)
    for (i, story) in stories.enumerated() {
      words += split.words[split.starts[story]..<split.starts[story + 1]]
      if i % length == length - 1 || i == stories.count - 1 { starts.append(words.count) }
    }
  }

  var count: Int { starts.count - 1 }

  /// Every word but the last is an input, every word but the first a target.
  func steps(of index: Int) -> Int { starts[index + 1] - starts[index] - 1 }
}

/// What is reached on the validation and test stories without reading them: the most frequent
/// training answer, and that of the task a question belongs to.
private func babiBaselines(_ set: BabiStories, _ scoring: BabiScoring) -> [TrivialBaseline] {
  func forEachAnswer(_ split: DataSplit, _ body: (_ task: Int, _ answer: Int32) -> Void) {
    let stories = set[split]
    for story in 0..<stories.count {
      let words = stories.words[stories.starts[story]..<stories.starts[story + 1]]
      for i in words.indices.dropLast()
      where scoring == .words || words[i] == set.question {
        body(stories.tasks[story], words[i + 1])
      }
    }
  }
  var counts = [[Int]](
    repeating: [Int](repeating: 0, count: set.vocabulary.count), count: 21)
  forEachAnswer(.train) { task, answer in
    counts[0][Int(answer)] += 1
    counts[task][Int(answer)] += 1
  }
  let guesses = counts.map { count in
    Int32(count.indices.reduce(0) { count[$1] > count[$0] ? $1 : $0 })
  }
  return [DataSplit.validation, .test].flatMap { split in
    var (answers, right, rightOfTask) = (0, 0, 0)
    forEachAnswer(split) { task, answer in
      answers += 1
      right += answer == guesses[0] ? 1 : 0
      rightOfTask += answer == guesses[task] ? 1 : 0
    }
    return [("most frequent answer", right), ("most frequent answer of the task", rightOfTask)]
      .map { name, right in
        TrivialBaseline(
          name: name, metric: "\(split.rawValue).accuracy",
          value: Double(right) / Double(max(answers, 1)))
      }
  }
}
