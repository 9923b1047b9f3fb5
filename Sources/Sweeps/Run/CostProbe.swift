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
  }

  private let setup: SweepSetup
  private let probeSeconds: Double
  private var measured: [[OptionDictionary]: (update: Double, evaluation: Double)] = [:]

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
    let memory = (parts.model as? Network).map {
      TrialMemory($0, task: parts.task, options: options)
    }
    guard probeSeconds > 0 else {
      return Cost(
        method: trial.method, parameters: trial.parameters, seconds: nil, memory: memory)
    }
    let time = measured[key] ?? measure(parts)
    measured[key] = time
    let evaluations = Double(options.steps / max(options.evaluateEvery, 1) + 1)
    return Cost(
      method: trial.method, parameters: trial.parameters,
      seconds: Double(options.steps) * time.update + evaluations * time.evaluation,
      memory: memory)
  }

  private func measure(_ parts: TrialParts) -> (update: Double, evaluation: Double) {
    let rows = max(parts.options.batchSize, parts.options.evaluationRows)
    let batch = Batch(shape: parts.task.shape, maximumRows: rows)
    let evaluationRows = parts.options.evaluationRows
    let batches = parts.task.evaluationBatchCount(.validation, batchSize: evaluationRows)
    var update = 0
    let updateSeconds = median(within: probeSeconds * 0.7) {
      parts.task.fillTraining(batch, update: update, batchSize: parts.options.batchSize)
      _ = parts.model.train(batch, update: update, noiseKey: parts.noiseKey)
      update += 1
    }
    var index = 0
    let evaluationSeconds = median(within: probeSeconds * 0.3) {
      parts.task.fillEvaluation(
        batch, split: .validation, index: index % batches, batchSize: evaluationRows)
      _ = parts.model.evaluate(batch)
      index += 1
    }
    return (updateSeconds, evaluationSeconds * Double(batches))
  }

  /// The median time of `body`, run again and again for about `seconds` and at least three times.
  private func median(within seconds: Double, _ body: () -> Void) -> Double {
    var times: [Double] = []
    let start = TrainingRunner.processSeconds()
    body()
    repeat {
      let before = TrainingRunner.processSeconds()
      body()
      times.append(TrainingRunner.processSeconds() - before)
    } while times.count < 3 || TrainingRunner.processSeconds() - start < seconds
    return times.sorted()[times.count / 2]
  }
}
