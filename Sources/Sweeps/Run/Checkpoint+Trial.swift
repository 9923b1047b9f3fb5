import MemoryNets

/// What of a trial's cost goes along with its checkpoints.
struct TrialTiming: Codable {
  static let section = "timing"

  /// Seconds since 1970.
  var startedAt: Double
  /// Core-seconds.
  var seconds = 0.0
  var secondsToTarget: Double?
}

/// The place of a trial in the table of its sweep.
struct TrialLabel: Codable {
  static let section = "label"

  let method: String
  /// A JSON object in the order of the sweep file, as in the store.
  let parameters: String

  init(_ trial: Trial) {
    method = trial.method
    parameters = JSONText.parameters(trial.parameters)
  }
}

extension TrialConfiguration {
  /// The section that makes a checkpoint readable without the store of its sweep.
  static let section = "configuration"
}

extension Checkpoint {
  /// Adds the configuration, by which any program can build the net again.
  mutating func append(_ configuration: TrialConfiguration) {
    append(
      Section(TrialConfiguration.section, copying: Array(configuration.canonicalJSON.utf8)))
  }

  /// The configuration of the trial; nil in files of versions that did not write it.
  func configuration() throws(TrialConfigurationError) -> TrialConfiguration? {
    guard let section = section(named: TrialConfiguration.section) else { return nil }
    return try TrialConfiguration(json: String(decoding: section.bytes, as: UTF8.self))
  }
}
