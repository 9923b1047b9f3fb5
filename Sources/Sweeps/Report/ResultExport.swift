import MemoryNets

/// A form in which results leave the store.
package enum ExportFormat: String, Sendable, CaseIterable {
  case csv, json
}

extension ResultReader {
  /// Hands every result of the sweep to `write`, piece by piece, each piece whole lines.
  ///
  /// In order of method, parameters and seed; numbers with the fewest digits that read back as the
  /// same number; what is absent or not finite is an empty field or `null`. Without `timings` only
  /// what the trials determine, so two runs of a sweep give the same bytes. Throws `StoreError`, and
  /// what `write` throws.
  package func export(
    _ format: ExportFormat, timings: Bool = false, to write: (String) throws -> Void
  ) throws {
    try read { database in
      switch format {
      case .csv:
        // The columns are known only after all trials have been seen once.
        var columns = CSVColumns(metrics: try metricNames(in: database), timings: timings)
        try forEachTrial(in: database) { columns.note($0) }
        try write(columns.header)
        try forEachTrial(in: database) { try write(columns.line($0)) }
      case .json:
        let sweep = try sweep(in: database).record
        try write("{\"sweep\":\(JSONText.string(sweep.name)),\"trials\":[")
        var separator = "\n"
        try forEachTrial(in: database) { trial in
          try write(separator + trial.json(timings: timings))
          separator = ",\n"
        }
        try write("\n]}\n")
      }
    }
  }
}

/// The columns of an exported table.
private struct CSVColumns {
  private var parameters = ParameterColumns()
  private let metrics: [String]
  private let timings: Bool

  init(metrics: [String], timings: Bool) {
    self.metrics = metrics
    self.timings = timings
  }

  /// Makes room for the parameters of `trial`.
  mutating func note(_ trial: StoredTrial) { parameters.note(trial.parameters) }

  var header: String {
    var names = ["identity", "method"] + parameters.paths + ["seed", "status", "steps"] + metrics
    names += ["steps_to_target", "reason", "parameter_count", "state_size"]
    if timings { names += TrialResult.timingNames }
    return CSVText.line(names)
  }

  func line(_ trial: StoredTrial) -> String {
    let result = trial.result
    var fields = [trial.identity.description, trial.method] + parameters.fields(trial.parameters)
    fields += ["\(trial.seed)", result.status.rawValue, "\(result.steps)"]
    fields += metrics.map { CSVText.field(trial.value(of: $0)) }
    fields += [result.stepsToTarget.map { "\($0)" } ?? "", result.reason ?? ""]
    fields += ["\(result.parameterCount)", "\(result.stateSize)"]
    if timings {
      fields += [
        CSVText.field(result.seconds), CSVText.field(result.secondsToTarget),
        CSVText.field(result.startedAt), CSVText.field(result.finishedAt), result.host,
        "\(result.rank)", "\(result.attempt)",
      ]
    }
    return CSVText.line(fields)
  }
}

extension TrialResult {
  /// What belongs to one execution of a trial, in the order of export.
  fileprivate static let timingNames = [
    "seconds", "seconds_to_target", "started_at", "finished_at", "host", "rank", "attempt",
  ]
}

extension StoredTrial {
  /// One JSON object on one line.
  fileprivate func json(timings: Bool) -> String {
    let metrics = result.metrics.map { ($0.name, JSONText.number($0.value)) }
    var members: [(key: String, value: String)] = [
      ("identity", JSONText.string(identity.description)),
      ("method", JSONText.string(method)),
      ("parameters", JSONText.parameters(parameters)),
      ("seed", "\(seed)"),
      ("status", JSONText.string(result.status.rawValue)),
      ("steps", "\(result.steps)"),
      ("metrics", JSONText.object(metrics)),
      ("steps_to_target", JSONText.integer(result.stepsToTarget)),
      ("reason", JSONText.string(result.reason)),
      ("parameter_count", "\(result.parameterCount)"),
      ("state_size", "\(result.stateSize)"),
    ]
    if timings {
      let values = [
        JSONText.number(result.seconds), JSONText.number(result.secondsToTarget),
        JSONText.number(result.startedAt), JSONText.number(result.finishedAt),
        JSONText.string(result.host), "\(result.rank)", "\(result.attempt)",
      ]
      members += zip(TrialResult.timingNames, values).map { (key: $0, value: $1) }
    }
    return JSONText.object(members)
  }
}
