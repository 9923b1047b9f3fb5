import Foundation
import MemoryNets

/// A trial that has begun and has no result: what its newest checkpoint says of it.
package struct UnfinishedTrial: Sendable {
  package let identity: TrialIdentity
  package let method: String
  package let parameters: [TrialParameter]
  package let configuration: TrialConfiguration
  /// Updates done.
  package let step: Int
  /// Every evaluation so far, in order.
  package let history: [MetricPoint]
  /// Core-seconds of training so far.
  package let seconds: Double
  /// When the checkpoint was written, in seconds since 1970.
  package let savedAt: Double

  package var seed: Int { configuration.seed }

  /// The updates that the trial is to do.
  package var totalSteps: Int? {
    if case .integer(let steps)? = configuration.train["steps"] { steps } else { nil }
  }

  /// Its evaluations of the metric that it is measured by.
  package var values: [Double] {
    history.filter { $0.name == configuration.metric.name }.map(\.value)
  }

  /// The best of `values`.
  package var bestValue: Double? {
    configuration.metric.direction == .maximize ? values.max() : values.min()
  }

  /// Reads the newest whole checkpoint in `folder`; nil where there is none that names its trial.
  private init?(_ identity: TrialIdentity, _ folder: CheckpointFolder) {
    for step in ((try? folder.steps()) ?? []).reversed() {
      let path = folder.path(step: step)
      let wanted = [
        TrialConfiguration.section, TrialLabel.section, TrialTiming.section,
        Checkpoint.trainerSection,
      ]
      guard let checkpoint = try? Checkpoint(reading: path, sections: Set(wanted)),
        let configuration = try? checkpoint.configuration(),
        let label = checkpoint.section(named: TrialLabel.section)?.json(TrialLabel.self),
        let parameters = JSONText.readParameters(label.parameters),
        let timing = checkpoint.section(named: TrialTiming.section)?.json(TrialTiming.self),
        let history = checkpoint.history,
        let file = try? FileManager.default.attributesOfItem(atPath: path),
        let savedAt = file[.modificationDate] as? Date
      else { continue }
      self.identity = identity
      method = label.method
      self.parameters = parameters
      self.configuration = configuration
      self.step = checkpoint.step
      self.history = history.map { MetricPoint(step: $0.step, name: $0.name, value: $0.value) }
      seconds = timing.seconds
      self.savedAt = savedAt.timeIntervalSince1970
      return
    }
    return nil
  }

  /// Those in the output folder `directory`, in the order of the report; the store is `reader`'s.
  ///
  /// A trial that has no checkpoint yet is not among them.
  package static func all(
    in directory: String, _ reader: ResultReader
  ) throws -> [UnfinishedTrial] {
    let root = directory + "/checkpoints"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    let finished = try reader.read { try reader.identities(in: $0) }
    let order = MethodOrder(try reader.sweep().methods)
    return names.compactMap(TrialIdentity.init).filter { !finished.contains($0) }
      .compactMap { UnfinishedTrial($0, CheckpointFolder(root: root, identity: $0.description)) }
      .sorted { a, b in
        if a.method != b.method { return order.precedes(a.method, b.method) }
        let comparison = NaturalOrder.compare(a.parameters, b.parameters)
        return comparison == 0
          ? (a.seed, a.identity) < (b.seed, b.identity) : comparison < 0
      }
  }
}
