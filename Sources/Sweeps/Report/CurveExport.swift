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
        // The columns are known only after all trials have been seen once.
        var paths: [String] = []
        func note(_ parameters: [TrialParameter]) {
          for parameter in parameters where !paths.contains(parameter.path) {
            paths.append(parameter.path)
          }
        }
        try forEachTrial(in: database) { note($0.parameters) }
        unfinished.forEach { note($0.parameters) }
        let names = ["seed", "status", "step", "metric", "value"]
        try write(CSVText.line(["identity", "method"] + paths + names))
        try forEachCurve { try write($0.csv(paths)) }
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

  /// A line for each point; `paths` are the columns of parameters.
  func csv(_ paths: [String]) -> String {
    let values = paths.map { path in
      parameters.first { $0.path == path }.map { CSVText.field($0.value) } ?? ""
    }
    let labels = [identity.description, method] + values + ["\(seed)", status]
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
