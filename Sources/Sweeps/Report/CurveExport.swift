import GRDB
import MemoryNets

extension ResultReader {
  /// Hands the learning curve of every trial to `write`, piece by piece, each piece whole lines:
  /// those of the results in the order of the report, then those of `unfinished`, as far as they are.
  ///
  /// CSV has a line for each metric of each evaluation, JSON an object for each trial. Throws
  /// `StoreError`, and what `write` throws.
  package func exportCurves(
    _ format: ExportFormat, unfinished: [UnfinishedTrial], to write: (String) throws -> Void
  ) throws {
    try read { database in
      // One of them may have ended since.
      let finished = try identities(in: database)
      let unfinished = unfinished.filter { !finished.contains($0.identity) }
      func forEachCurve(_ body: (Curve) throws -> Void) throws {
        try forEachTrial(in: database) { trial in
          try body(Curve(trial, try history(of: trial.identity, in: database)))
        }
        try unfinished.forEach { try body(Curve($0)) }
      }
      switch format {
      case .csv:
        var columns = ParameterColumns()
        try forEachTrial(in: database) { columns.note($0.parameters) }
        for trial in unfinished { columns.note(trial.parameters) }
        let names = ["seed", "status", "step", "metric", "value"]
        try write(CSVText.line(["identity", "method"] + columns.paths + names))
        try forEachCurve { try write($0.csv(columns)) }
      case .json:
        let sweep = try sweep(in: database).record
        try write("{\"sweep\":\(JSONText.string(sweep.name)),\"trials\":[")
        var separator = "\n"
        try forEachCurve { curve in
          try write(separator + curve.json)
          separator = ",\n"
        }
        try write("\n]}\n")
      }
    }
  }
}

/// The evaluations of a trial under its labels.
private struct Curve {
  let identity: TrialIdentity
  let method: String
  let parameters: [TrialParameter]
  let seed: Int
  let status: String
  let points: [MetricPoint]

  init(_ trial: StoredTrial, _ points: [MetricPoint]) {
    (identity, method, parameters) = (trial.identity, trial.method, trial.parameters)
    (seed, status) = (trial.seed, trial.result.status.rawValue)
    self.points = points
  }

  init(_ trial: UnfinishedTrial) {
    (identity, method, parameters) = (trial.identity, trial.method, trial.parameters)
    (seed, status) = (trial.seed, "unfinished")
    points = trial.history
  }

  /// A line for each point.
  func csv(_ columns: ParameterColumns) -> String {
    let labels =
      [identity.description, method] + columns.fields(parameters) + ["\(seed)", status]
    return points.map {
      CSVText.line(labels + ["\($0.step)", $0.name, CSVText.field($0.value)])
    }.joined()
  }

  /// One object on one line.
  var json: String {
    let evaluations = points.map {
      JSONText.object([
        ("step", "\($0.step)"), ("name", JSONText.string($0.name)),
        ("value", JSONText.number($0.value)),
      ])
    }
    return JSONText.object([
      ("identity", JSONText.string(identity.description)),
      ("method", JSONText.string(method)),
      ("parameters", JSONText.parameters(parameters)), ("seed", "\(seed)"),
      ("status", JSONText.string(status)), ("evaluations", JSONText.array(evaluations)),
    ])
  }
}
