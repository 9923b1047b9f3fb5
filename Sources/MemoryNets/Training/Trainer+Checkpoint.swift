extension Checkpoint {
  /// The section with a training's evaluations and what else is not an array of numbers.
  package static let trainerSection = "trainer"

  /// Every evaluation of the training so far, in order; nil in a checkpoint of weights alone.
  package var history: [TrainingPoint]? {
    struct State: Decodable { let history: [TrainingPoint] }
    return section(named: Self.trainerSection)?.json(State.self)?.history
  }
}

extension Trainer {
  /// What is not an array of numbers in a trainer's state.
  private struct State: Codable {
    var step: Int
    var history: [TrainingPoint]
    var stepsToTarget: Int?
    var plateau: Plateau
    var earlyStop: EarlyStop
    /// `LossStatistics` in the order of its properties.
    var recent: [Double]
    /// The split that was being evaluated; its evaluation begins anew.
    var evaluation: String?
    /// Updates that the mean of the weights is over, where it is begun.
    var averaged: Int?
    /// Updates before the optimiser started, where there were any.
    var optimizerStart: Int?
  }

  /// The whole state, to go on from bit for bit.
  ///
  /// The sections point into this trainer's memory: write them before the next `advance`.
  package func checkpoint(identity: String) -> Checkpoint {
    let parameters = model.parameters
    var checkpoint = weightsCheckpoint(identity: identity, average?.weights)
    if let average, average.isBegun {
      checkpoint.append(
        Checkpoint.Section(
          "average", .init(parameters.precision), shape: [parameters.count],
          bytes: average.mean, owner: average))
    }
    for moment in optimizer.moments {
      checkpoint.append(
        Checkpoint.Section(
          "moment.\(moment.name)", .init(parameters.precision), shape: [parameters.count],
          bytes: UnsafeRawBufferPointer(moment.bytes), owner: optimizer))
    }
    if let bestWeights { checkpoint.append(section("best_weights", bestWeights)) }
    checkpoint.append(
      Checkpoint.Section(
        "carried_state", copying: evaluation?.carriedState ?? Array(model.carriedState)))
    let state = State(
      step: step, history: history, stepsToTarget: stepsToTarget, plateau: plateau,
      earlyStop: earlyStop,
      recent: [
        recent.loss, recent.weight, recent.correct, recent.truePositives, recent.falsePositives,
        recent.falseNegatives, recent.silentAnswers, recent.bound,
      ], evaluation: evaluation?.split.rawValue,
      averaged: average.flatMap { $0.isBegun ? $0.count : nil },
      optimizerStart: optimizerStart == 0 ? nil : optimizerStart)
    checkpoint.append(Checkpoint.Section(Checkpoint.trainerSection, json: state))
    return checkpoint
  }

  /// The weights alone, with nothing in it but what the trial determines.
  package func weightsCheckpoint(identity: String) -> Checkpoint {
    weightsCheckpoint(identity: identity, nil)
  }

  /// The same of `weights` instead of what stands in the parameters.
  private func weightsCheckpoint(
    identity: String, _ weights: UnsafeRawBufferPointer?
  ) -> Checkpoint {
    let parameters = model.parameters
    return Checkpoint(
      identity: identity, step: step, precision: parameters.precision,
      sections: [
        Checkpoint.Section("layout", json: ParameterLayout(parameters)),
        Checkpoint.Section(DataMark.section, json: DataMark(task)),
        Checkpoint.Section(
          "weights", .init(parameters.precision), shape: [parameters.count],
          bytes: weights ?? UnsafeRawBufferPointer(parameters.bytes), owner: self),
      ])
  }

  /// The weights of the best evaluation, if there was one.
  package func bestCheckpoint(identity: String) -> Checkpoint? {
    guard let bestWeights else { return nil }
    return Checkpoint(
      identity: identity, step: earlyStop.bestStep, precision: model.parameters.precision,
      sections: [
        Checkpoint.Section("layout", json: ParameterLayout(model.parameters)),
        Checkpoint.Section(DataMark.section, json: DataMark(task)),
        section("weights", bestWeights),
      ])
  }

  /// Goes on where `checkpoint` was taken; `path` is for messages.
  ///
  /// After an error this trainer is as it was.
  package func restore(_ checkpoint: Checkpoint, path: String) throws(CheckpointError) {
    let parameters = model.parameters
    guard checkpoint.precision == parameters.precision,
      checkpoint.section(named: "layout")?.json(ParameterLayout.self)
        == ParameterLayout(parameters)
    else { throw .foreign(path: path, problem: "holds another model") }
    guard let state = checkpoint.section(named: Checkpoint.trainerSection)?.json(State.self),
      7...8 ~= state.recent.count, state.step == checkpoint.step
    else { throw .foreign(path: path, problem: "holds no state of a training") }

    var copies: [(UnsafeMutableRawBufferPointer, UnsafeRawBufferPointer)] = []
    func plan(
      _ name: String, into target: UnsafeMutableRawBufferPointer
    ) throws(CheckpointError) {
      guard let bytes = checkpoint.section(named: name)?.bytes, bytes.count == target.count
      else { throw .foreign(path: path, problem: "lacks \(name) of this model's size") }
      copies.append((target, bytes))
    }
    try plan("weights", into: parameters.bytes)
    for moment in optimizer.moments { try plan("moment.\(moment.name)", into: moment.bytes) }
    try plan("carried_state", into: model.carriedState)
    if let average, state.averaged != nil { try plan("average", into: average.storage.bytes) }
    let best = checkpoint.section(named: "best_weights")?.bytes
    guard best == nil || best?.count == parameters.bytes.count else {
      throw .foreign(path: path, problem: "lacks best_weights of this model's size")
    }

    for (target, source) in copies { target.copyMemory(from: source) }
    bestWeights = best.map {
      let kept = Checkpoint.Storage(byteCount: $0.count)
      kept.bytes.copyMemory(from: $0)
      return kept
    }
    optimizerStart = state.optimizerStart ?? 0
    optimizer.restore(updates: state.step - optimizerStart)
    model.resume(after: state.step)
    step = state.step
    history = state.history
    stepsToTarget = state.stepsToTarget
    plateau = state.plateau
    earlyStop = state.earlyStop
    recent = LossStatistics()
    recent.loss = state.recent[0]
    recent.weight = state.recent[1]
    recent.correct = state.recent[2]
    recent.truePositives = state.recent[3]
    recent.falsePositives = state.recent[4]
    recent.falseNegatives = state.recent[5]
    recent.silentAnswers = state.recent[6]
    // Absent from checkpoints of versions before there were bounds.
    recent.bound = state.recent.count > 7 ? state.recent[7] : 0
    average?.restore(count: state.averaged)
    evaluation = nil
    if let split = state.evaluation.flatMap(DataSplit.init) { evaluate(split) }
  }

  /// An array as long as the weights.
  private func section(_ name: String, _ storage: Checkpoint.Storage) -> Checkpoint.Section {
    Checkpoint.Section(
      name, .init(model.parameters.precision), shape: [model.parameters.count],
      bytes: UnsafeRawBufferPointer(storage.bytes), owner: storage)
  }
}
