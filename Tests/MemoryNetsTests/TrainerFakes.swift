import Foundation
import MemoryNets

/// Two classes on either side of a plane in three dimensions, with some labels wrong.
final class PlaneTask: SequenceTask {
  let shape = TaskShape(
    input: .features(size: 3), outputSize: 2, loss: .softmaxCrossEntropy, outputSteps: .last,
    maximumSteps: 1)
  let baselines: [TrivialBaseline] = []
  let dataDigest = ""
  /// Batches of each evaluation split.
  var evaluationBatches = 3
  /// The update whose batch holds a number that is not finite.
  var badUpdate: Int?

  func fillTraining(_ batch: Batch, update: Int, batchSize: Int) {
    fill(batch, PhiloxStream(key: PhiloxKey(1), stream: UInt64(update)), batchSize)
    if update == badUpdate { batch.features[0] = .infinity }
  }

  func evaluationBatchCount(_ split: DataSplit, batchSize: Int) -> Int { evaluationBatches }

  func fillEvaluation(_ batch: Batch, split: DataSplit, index: Int, batchSize: Int) {
    let key = PhiloxKey(2).derived(split.rawValue)
    fill(batch, PhiloxStream(key: key, stream: UInt64(index)), batchSize)
  }

  private func fill(_ batch: Batch, _ stream: PhiloxStream, _ rows: Int) {
    var random = stream
    batch.resize(rows: rows, steps: 1)
    for row in 0..<rows {
      let x = (0..<3).map { _ in random.normal() }
      for (i, value) in x.enumerated() { batch.features[row * 3 + i] = Float(value) }
      let isRight = random.uniform() < 0.9
      batch.classes[row] = (x[0] - 2 * x[1] + 0.5 > 0) == isRight ? 1 : 0
      batch.weights[row] = 1
    }
  }
}

/// Logistic regression, its gradient written by hand, with noise and a carried state like those of
/// a recurrent net.
final class PlaneModel: TrainableModel {
  let parameters: ParameterStore
  let kernels: Kernels
  let stateSize = 2
  let parameterCount = 4
  let carriedState = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 8)

  init(_ precision: Precision = .float) {
    parameters = ParameterStore(
      precision: precision,
      views: [
        ParameterView(name: "w", group: .controller, shape: [1, 3], offset: 0),
        ParameterView(name: "b", group: .readout, shape: [1], offset: 3),
      ])
    kernels = Kernels(.best, precision)
    carriedState.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { carriedState.deallocate() }

  func train(_ batch: Batch, update: Int, noiseKey: PhiloxKey) -> LossStatistics {
    var random = PhiloxStream(key: noiseKey, stream: UInt64(update))
    let carried = carriedState.load(as: Double.self)
    let noise = 0.01 * (random.normal() + carried)
    carriedState.storeBytes(of: random.uniform(), as: Double.self)
    var gradient = [noise, noise, noise, 0]
    let statistics = run(batch) { x, error in
      for i in 0..<3 { gradient[i] += error * x[i] / Double(batch.rows) }
      gradient[3] += error / Double(batch.rows)
    }
    parameters.setGradients(gradient)
    return statistics
  }

  func evaluate(_ batch: Batch) -> LossStatistics {
    // An evaluation is allowed to use the carried state for its own.
    carriedState.storeBytes(of: -1, as: Double.self)
    return run(batch) { _, _ in }
  }

  private func run(_ batch: Batch, _ each: ([Double], Double) -> Void) -> LossStatistics {
    let w = parameters.doubles(parameters.views[0])
    let b = parameters.doubles(parameters.views[1])[0]
    var statistics = LossStatistics()
    for row in 0..<batch.rows {
      let x = (0..<3).map { Double(batch.features[row * 3 + $0]) }
      let z = w[0] * x[0] + w[1] * x[1] + w[2] * x[2] + b
      let target = Double(batch.classes[row])
      let p = 1 / (1 + exp(-z))
      statistics.loss -= log(target == 1 ? p : 1 - p)
      statistics.weight += 1
      statistics.correct += (z > 0) == (target == 1) ? 1 : 0
      each(x, p - target)
    }
    return statistics
  }
}
