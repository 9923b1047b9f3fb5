/// The options of `music`.
package struct MusicOptions: Options {
  /// The published set.
  package var set = PianoRollSet.jsb
  /// Steps of a piece of truncated back-propagation; 0 trains on whole sequences.
  package var unroll = 0
  /// Steps of a piece in evaluation, which bounds memory and changes no result; 0 for none.
  package var evaluationUnroll = 128
  /// Batches whose sequences are sorted by length together, so that less is padding; 1 for none.
  package var lengthPool = 4

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems: [OptionProblem] = []
    if unroll < 0 {
      problems.append(OptionProblem("unroll", "is \(unroll); 0 or more steps are possible"))
    }
    if evaluationUnroll < 0 {
      problems.append(
        OptionProblem("evaluation_unroll", "is \(evaluationUnroll); 0 or more steps are possible"))
    }
    if !(1...1_000_000 ~= lengthPool) {
      problems.append(
        OptionProblem("length_pool", "is \(lengthPool); 1 to 1000000 batches are possible"))
    }
    return problems
  }
}

/// Polyphonic music: predict each frame of 88 notes from the frames before it.
///
/// Step t shows frame t and its target is frame t + 1; rows that have ended are padding of weight
/// 0. A batch of long sequences is cut into pieces that continue each other's state.
package final class MusicTask: SequenceTask {
  package let shape: TaskShape
  package let baselines: [TrivialBaseline]
  package let dataDigest: String

  private let options: MusicOptions
  private let rolls: PianoRollData
  private var order: EpochOrder
  private var groupKey: PhiloxKey
  /// Of one batch size: where its updates are, and the last epoch used.
  private var batchSize = 0
  private var places = EpochPlaces()
  private var current: (epoch: Int, plan: PiecePlan)?
  private var evaluationPlans: [EvaluationPass: PiecePlan] = [:]

  private struct EvaluationPass: Hashable {
    let split: DataSplit
    let batchSize: Int
  }

  package init(options: MusicOptions, rolls: PianoRollData, key: PhiloxKey) {
    self.options = options
    self.rolls = rolls
    let longestTrain = rolls.train.longestSteps
    let longest = DataSplit.allCases.reduce(0) { max($0, rolls[$1].longestSteps) }
    func piece(_ unroll: Int, _ longest: Int) -> Int {
      unroll == 0 ? longest : min(unroll, longest)
    }
    shape = TaskShape(
      input: .features(size: PianoRolls.noteCount), outputSize: PianoRolls.noteCount,
      loss: .sigmoidCrossEntropy, outputSteps: .every,
      maximumSteps: max(
        piece(options.unroll, longestTrain), piece(options.evaluationUnroll, longest)),
      carriesState: true)
    baselines = musicBaselines(rolls)
    dataDigest = PianoRollSet.digest(of: rolls)
    order = EpochOrder(count: rolls.train.count, key: key.derived("order").derived("sequences"))
    groupKey = key.derived("order").derived("batches")
  }

  package var byteCount: Int { rolls.byteCount + order.byteCount }

  package func orderTraining(by key: PhiloxKey) {
    order = EpochOrder(count: rolls.train.count, key: key.derived("sequences"))
    groupKey = key.derived("batches")
    batchSize = 0
  }

  package func fillTraining(_ batch: Batch, update: Int, batchSize: Int) {
    precondition(update >= 0 && batchSize > 0, "update \(update) of \(batchSize) rows")
    if batchSize != self.batchSize {
      self.batchSize = batchSize
      places = EpochPlaces()
      current = nil
    }
    let (epoch, index) = place(of: update)
    let plan = plan(ofEpoch: epoch)
    fill(batch, with: plan.pieces[index], of: plan, rolls: rolls.train)
  }

  package func evaluationBatchCount(_ split: DataSplit, batchSize: Int) -> Int {
    evaluationPlan(split, batchSize).pieces.count
  }

  package func fillEvaluation(_ batch: Batch, split: DataSplit, index: Int, batchSize: Int) {
    let plan = evaluationPlan(split, batchSize)
    precondition(plan.pieces.indices ~= index, "batch \(index) of \(plan.pieces.count)")
    fill(batch, with: plan.pieces[index], of: plan, rolls: rolls[split])
  }

  /// The epoch of `update` and its number within it.
  private func place(of update: Int) -> (epoch: Int, index: Int) {
    if options.unroll == 0 {
      let batches = max(1, rolls.train.count / batchSize)
      let (epoch, index) = update.quotientAndRemainder(dividingBy: batches)
      return (epoch, index)
    }
    return places.place(of: update) { plan(ofEpoch: $0).pieces.count }
  }

  private func plan(ofEpoch epoch: Int) -> PiecePlan {
    if let current, current.epoch == epoch { return current.plan }
    var draws = PhiloxStream(key: groupKey, stream: UInt64(epoch))
    let plan = PiecePlan.training(
      order: order.sequences(ofEpoch: epoch), of: rolls.train, batchSize: batchSize,
      pool: options.lengthPool, unroll: options.unroll, draws: &draws)
    current = (epoch, plan)
    return plan
  }

  private func evaluationPlan(_ split: DataSplit, _ batchSize: Int) -> PiecePlan {
    let pass = EvaluationPass(split: split, batchSize: batchSize)
    if let plan = evaluationPlans[pass] { return plan }
    let plan = PiecePlan.evaluation(
      of: rolls[split], batchSize: batchSize, unroll: options.evaluationUnroll)
    evaluationPlans[pass] = plan
    return plan
  }

  private func fill(
    _ batch: Batch, with piece: PiecePlan.Piece, of plan: PiecePlan, rolls: PianoRolls
  ) {
    let size = PianoRolls.noteCount
    let rows = piece.rows.count
    batch.resize(rows: rows, steps: piece.steps)
    batch.firstStep = piece.firstStep
    let features = batch.features.baseAddress!
    let targets = batch.targets.baseAddress!
    let weights = batch.weights.baseAddress!
    features.update(repeating: 0, count: piece.steps * rows * size)
    targets.update(repeating: 0, count: piece.steps * rows * size)
    weights.update(repeating: 0, count: piece.steps * rows)
    rolls.notes.withUnsafeBufferPointer { notes in
      rolls.noteStarts.withUnsafeBufferPointer { starts in
        for row in 0..<rows {
          let sequence = plan.sequences[piece.rows.lowerBound + row]
          let firstFrame = Int(rolls.frameStarts[sequence]) + piece.firstStep
          let steps = min(piece.steps, rolls.steps(of: sequence) - piece.firstStep)
          guard steps > 0 else { continue }
          for step in 0..<steps {
            let answer = step * rows + row
            PianoRolls.mark(
              frame: firstFrame + step, notes: notes, starts: starts, in: features + answer * size)
            PianoRolls.mark(
              frame: firstFrame + step + 1, notes: notes, starts: starts,
              in: targets + answer * size)
            weights[answer] = 1
          }
        }
      }
    }
  }
}
