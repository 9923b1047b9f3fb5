import GRDB

/// What was measured of finished trials, put beside their results.
package enum ProbeResults {
  /// What the names of these metrics begin with.
  package static let prefix = "probe."

  /// Replaces what was measured of the trial `identity` in the store of `directory`, durably.
  ///
  /// Everything else of the result stays. May be done while a sweep runs there. Throws `StoreError`.
  package static func store(
    _ numbers: [(name: String, value: Double)], of identity: TrialIdentity, in directory: String
  ) throws {
    let path = StoreFile.path(in: directory)
    let queue = try StoreFile.openForWriting(in: directory)
    try describingErrors(at: path) {
      try queue.inTransaction(.immediate) { database in
        try replace(numbers, of: identity, in: database, path: path)
        return .commit
      }
    }
    try StoreFile.finish(queue, path: path)
  }

  private static func replace(
    _ numbers: [(name: String, value: Double)], of identity: TrialIdentity, in database: Database,
    path: String
  ) throws {
    let row = try Row.fetchOne(
      database,
      sql: """
        SELECT \(StoreRows.resultColumns), t.key
        FROM trials t JOIN results r ON r.trial = t.key WHERE t.identity = ?
        """, arguments: [identity.description])
    guard let row else {
      throw StoreError.damaged(place: path, problem: "trial \(identity) has no result")
    }
    let columns = StoreColumns(row: row, place: path)
    let key = try columns.integer(15)
    let metrics = try StoreRows.metrics(of: key, in: database, place: path)
    var (result, target) = try StoreRows.result(columns, first: 0, key: key, metrics: metrics)
    result.metrics.removeAll { $0.name.hasPrefix(prefix) }
    result.metrics += numbers.map {
      MetricPoint(step: result.steps, name: $0.name, value: $0.value)
    }
    result = StoreRows.storable(result)
    try database.execute(
      sql: "DELETE FROM metrics WHERE trial = ? AND substr(name, 1, ?) = ?",
      arguments: [key, prefix.count, prefix])
    for point in result.metrics where point.name.hasPrefix(prefix) {
      try database.execute(
        sql: "INSERT INTO metrics (trial, name, step, value) VALUES (?, ?, ?, ?)",
        arguments: [key, point.name, point.step, point.value])
    }
    try database.execute(
      sql: "UPDATE results SET checksum = ? WHERE trial = ?",
      arguments: [StoreRows.checksum(of: result, target: target, key: key), key])
  }
}
