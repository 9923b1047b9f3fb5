import Foundation
import MemoryNets
import Sweeps

/// A folder of its own for one test, removed with it.
final class ScratchFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/memsweep-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name))))
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
  }

  /// Copies the store as a crash of the machine would leave it: the file and its journal.
  func copyStore(to other: ScratchFolder) throws {
    for suffix in ["", "-wal", "-journal"] {
      let name = StoreFile.name + suffix
      guard FileManager.default.fileExists(atPath: file(name)) else { continue }
      try other.write(try bytes(name), to: name)
    }
  }
}

/// Trials and results made up for tests.
enum Made {
  static func identity(_ number: Int) -> TrialIdentity {
    let key = PhiloxKey(99).derived(UInt64(number))
    return TrialIdentity(
      high: UInt64(key.low) << 32 | UInt64(key.high), low: UInt64(truncatingIfNeeded: number))
  }

  static func trial(
    _ number: Int, method: String = "lstm", parameters: [TrialParameter] = [hidden(50)],
    seed: Int = 1
  ) -> Trial {
    let configuration = TrialConfiguration(
      task: ["kind": .string("copy")], model: ["cell": .string(method)],
      train: ["steps": .integer(100)], seed: seed, metric: goal)
    return Trial(
      identity: identity(number), method: method, parameters: parameters,
      configuration: configuration)
  }

  static let goal = MetricGoal(
    name: "validation.accuracy", direction: .maximize, target: 0.9)

  static func hidden(_ size: Int) -> TrialParameter {
    TrialParameter(path: "model.hidden_size", value: .integer(size))
  }

  static func rate(_ rate: Double) -> TrialParameter {
    TrialParameter(path: "train.learning_rate", value: .number(rate))
  }

  /// A complete trial of 100 steps whose accuracy is `accuracy`.
  static func result(
    _ accuracy: Double, stepsToTarget: Int? = nil, seconds: Double = 2.5
  ) -> TrialResult {
    var result = TrialResult(status: .complete, steps: 100)
    result.history = [
      MetricPoint(step: 50, name: "validation.accuracy", value: accuracy / 2),
      MetricPoint(step: 50, name: "validation.loss", value: 2),
      MetricPoint(step: 100, name: "validation.accuracy", value: accuracy),
      MetricPoint(step: 100, name: "validation.loss", value: 1 - accuracy),
    ]
    result.metrics = Array(result.history.suffix(2))
    result.stepsToTarget = stepsToTarget
    result.secondsToTarget = stepsToTarget.map { seconds * Double($0) / 100 }
    result.parameterCount = 1234
    result.stateSize = 100
    result.seconds = seconds
    result.startedAt = 1_700_000_000.25
    result.finishedAt = 1_700_000_002.75
    result.host = "node-1"
    result.rank = 3
    return result
  }

  static func ended(_ status: TrialStatus, steps: Int, reason: String?) -> TrialResult {
    var result = TrialResult(status: status, steps: steps)
    result.reason = reason
    result.parameterCount = 1234
    result.stateSize = 100
    result.seconds = 1
    return result
  }

  static func sweep(
    fingerprint: String = "one", methods: [String] = ["lstm", "elman"], target: Double? = 0.9,
    trialCount: Int? = nil
  ) -> SweepRecord {
    SweepRecord(
      name: "wtt",
      metric: MetricGoal(
        name: "validation.accuracy", direction: .maximize, target: target),
      methods: methods, trialCount: trialCount, fingerprint: fingerprint,
      createdWith: "memsweep 1", numericContract: "engine 1, float, avx2")
  }

  static func store(
    _ folder: ScratchFolder, sweep: SweepRecord = sweep(), eventLog: EventLog? = nil
  ) throws -> ResultStore {
    try ResultStore(directory: folder.path, sweep: sweep, eventLog: eventLog) {
      "{\"seed\":\($0.seed)}"
    }
  }

  /// A store with all there is: two methods, several seeds, failures, a baseline, an event.
  static func fill(_ store: ResultStore) throws {
    let accuracies = [0.91, 0.95, 0.97, 0.88, 0.99]
    for (index, accuracy) in accuracies.enumerated() {
      store.append(
        result(accuracy, stepsToTarget: accuracy >= 0.9 ? 60 + index : nil),
        of: trial(index, seed: index + 1))
    }
    let small = [hidden(8)]
    store.append(result(0.5), of: trial(10, method: "elman", parameters: small, seed: 1))
    store.append(
      ended(.diverged, steps: 17, reason: "the loss is nan"),
      of: trial(11, method: "elman", parameters: small, seed: 2))
    store.append(
      ended(.failed, steps: 3, reason: "out of memory, \"really\""),
      of: trial(12, method: "elman", parameters: small, seed: 3))
    store.append(
      ended(.timedOut, steps: 80, reason: nil),
      of: trial(13, method: "elman", parameters: [hidden(100)], seed: 1))
    store.append(SweepEvent(time: 1.5, kind: "finished", identity: identity(1), rank: 2))
    try store.setBaselines([
      TaskBaseline(
        task: "{\"kind\":\"copy\"}",
        baseline: TrivialBaseline(name: "mode of shown values", metric: "accuracy", value: 0.3835))
    ])
    try store.commit()
  }

  static func export(
    _ reader: ResultReader, _ format: ExportFormat = .csv, timings: Bool = false
  ) throws -> String {
    var text = ""
    try reader.export(format, timings: timings) { text += $0 }
    return text
  }
}
