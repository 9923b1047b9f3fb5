import Foundation
import MemoryNets

/// What trials cost on this machine: seconds by a short measurement of each distinct shape, bytes by
/// counting.
package struct CostProbe {
  /// The cost of one configuration, for every seed alike.
  package struct Cost: Sendable {
    package let method: String
    package let parameters: [TrialParameter]
    /// Of the whole step budget: a trial that stops at its target takes less; nil if not measured.
    package let seconds: Double?
    package let memory: TrialMemory?
    /// Of trials that ask for a team; nil if not measured.
    package let team: TeamPrediction?
    /// The ranks that train it together.
    package let ranks: Int

    /// From start to end on its team.
    package var teamSeconds: Double? {
      seconds.map { $0 / (team?.speedUp(ranks: ranks) ?? 1) }
    }
  }

  private let setup: SweepSetup
  private let probeSeconds: Double
  private var measured: [[OptionDictionary]: (update: Double, evaluation: Double)] = [:]
  private var predicted: [[OptionDictionary]: TeamPrediction] = [:]

  /// Each shape is measured for about `probeSeconds`; 0 is not at all.
  package init(_ setup: SweepSetup, probeSeconds: Double = 2) {
    self.setup = setup
    self.probeSeconds = probeSeconds
  }

  /// Counts the bytes of `trial` and measures its shape, unless one like it has been measured.
  package mutating func cost(of trial: Trial) throws -> Cost {
    let configuration = trial.configuration
    let parts = try setup.assembly.parts(of: configuration)
    let options = parts.options
    let key = [
      configuration.task, configuration.model,
      ["batch_size": .integer(options.batchSize), "rows": .integer(options.evaluationRows)],
    ]
    let memory = parts.network.map {
      TrialMemory($0, task: parts.task, options: options)
    }
    guard probeSeconds > 0 else {
      return Cost(
        method: trial.method, parameters: trial.parameters, seconds: nil, memory: memory,
        team: nil, ranks: trial.ranks)
    }
    let time = try measured[key] ?? measure(parts)
    measured[key] = time
    var team: TeamPrediction?
    if trial.ranks > 1 {
      team = try predicted[key] ?? prediction(parts, of: configuration)
      predicted[key] = team
    }
    let evaluations = Double(options.steps / max(options.evaluateEvery, 1) + 1)
    return Cost(
      method: trial.method, parameters: trial.parameters,
      seconds: Double(options.steps) * time.update + evaluations * time.evaluation,
      memory: memory, team: team, ranks: trial.ranks)
  }

  /// Measures updates on the rows that a rank has on teams of 1, 2, 4 and more.
  private func prediction(
    _ parts: TrialParts, of configuration: TrialConfiguration
  ) throws -> TeamPrediction {
    let rows = parts.options.batchSize
    let sharing = configuration.sharing
    let most = sharing.reduction == .reproducible ? sharing.shards : min(rows, 64)
    let bytes = parts.model.parameters.count * parts.model.parameters.precision.size
    let speed = TeamPrediction.Speed.measured(
      bytes: bytes, instructionSet: setup.execution.instructionSet)
    let batch = Batch(shape: parts.task.shape, maximumRows: rows)
    var points: [TeamPrediction.Point] = []
    var ranks = 1
    while ranks <= most, rows % ranks == 0 {
      // What a rank has to do is what one rank does with its shards alone.
      var share = configuration
      share.train["batch_size"] = .integer(rows / ranks)
      share.sharing = GradientSharing(
        shards: sharing.reduction == .reproducible ? sharing.shards / ranks : 1)
      let part = try setup.assembly.parts(of: share)
      var update = 0
      let seconds = try median(within: probeSeconds * 0.2) {
        part.task.fillTraining(batch, update: update, batchSize: rows / ranks)
        _ = try part.model.train(batch, update: update, noiseKey: part.noiseKey)
        update += 1
      }
      points.append(
        TeamPrediction.Point(
          ranks: ranks,
          seconds: seconds + TeamPrediction.sumSeconds(bytes: bytes, ranks: ranks, speed)))
      ranks *= 2
    }
    return TeamPrediction(points: points)
  }

  private func measure(_ parts: TrialParts) throws -> (update: Double, evaluation: Double) {
    let rows = max(parts.options.batchSize, parts.options.evaluationRows)
    let batch = Batch(shape: parts.task.shape, maximumRows: rows)
    let evaluationRows = parts.options.evaluationRows
    let batches = parts.task.evaluationBatchCount(.validation, batchSize: evaluationRows)
    var update = 0
    let updateSeconds = try median(within: probeSeconds * 0.7) {
      parts.task.fillTraining(batch, update: update, batchSize: parts.options.batchSize)
      _ = try parts.model.train(batch, update: update, noiseKey: parts.noiseKey)
      update += 1
    }
    var index = 0
    let evaluationSeconds = try median(within: probeSeconds * 0.3) {
      parts.task.fillEvaluation(
        batch, split: .validation, index: index % batches, batchSize: evaluationRows)
      _ = try parts.model.evaluate(batch)
      index += 1
    }
    return (updateSeconds, evaluationSeconds * Double(batches))
  }

  /// The median time of `body`, run again and again for about `seconds` and at least three times.
  private func median(within seconds: Double, _ body: () throws -> Void) rethrows -> Double {
    var times: [Double] = []
    let start = TrainingRunner.processSeconds()
    try body()
    repeat {
      let before = TrainingRunner.processSeconds()
      try body()
      times.append(TrainingRunner.processSeconds() - before)
    } while times.count < 3 || TrainingRunner.processSeconds() - start < seconds
    return times.sorted()[times.count / 2]
  }
}
