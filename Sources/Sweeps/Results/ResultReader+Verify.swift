import GRDB

extension ResultReader {
  /// Checks everything the store promises and says what is not so; empty for a sound store.
  ///
  /// Reads the whole file: its pages and indices, every checksum, and that every identity stands
  /// once, that every trial has one result and every result a trial, that metrics and evaluations
  /// belong to a result and agree, that a diverged or failed trial has a reason, and that no count
  /// is negative.
  package func verify() throws -> [String] {
    try read { database in
      var problems = try String.fetchAll(database, sql: "PRAGMA integrity_check(20)")
        .filter { $0 != "ok" }
      guard problems.isEmpty else { return problems }
      _ = try sweep(in: database)
      _ = try StoreRows.baselines(in: database, place: path)
      for rule in Self.rules {
        let keys = try DatabaseValue.fetchAll(database, sql: rule.query + " LIMIT 5")
        guard !keys.isEmpty else { continue }
        problems.append("\(rule.problem): \(keys.map(\.description).joined(separator: ", "))")
      }
      guard problems.isEmpty else { return problems }
      return try verifyChecksums(in: database)
    }
  }

  /// What must hold of the tables, each with a query for the keys where it does not.
  private static let rules: [(problem: String, query: String)] = [
    (
      "identities that stand more than once",
      "SELECT identity FROM trials GROUP BY identity HAVING COUNT(*) > 1"
    ),
    (
      "trials without a result",
      "SELECT key FROM trials WHERE key NOT IN (SELECT trial FROM results)"
    ),
    (
      "results without a trial",
      "SELECT trial FROM results WHERE trial NOT IN (SELECT key FROM trials)"
    ),
    (
      "metrics without a result",
      "SELECT DISTINCT trial FROM metrics WHERE trial NOT IN (SELECT trial FROM results)"
    ),
    (
      "evaluations without a result",
      "SELECT DISTINCT trial FROM evaluations WHERE trial NOT IN (SELECT trial FROM results)"
    ),
    (
      "trials of a later generation than the sweep's",
      "SELECT key FROM trials WHERE generation > (SELECT generation FROM sweep)"
    ),
    (
      "results of an unknown status",
      """
      SELECT trial FROM results
      WHERE status NOT IN ('complete', 'diverged', 'failed', 'timed_out')
      """
    ),
    (
      "failed or diverged results without a reason",
      "SELECT trial FROM results WHERE status IN ('diverged', 'failed') AND reason IS NULL"
    ),
    (
      "results with a negative count",
      """
      SELECT trial FROM results
      WHERE steps < 0 OR parameter_count < 0 OR state_size < 0 OR attempt < 0 OR rank < 0
      """
    ),
    (
      "results that reached the target after their end",
      "SELECT trial FROM results WHERE steps_to_target NOT BETWEEN 0 AND steps"
    ),
    (
      "metrics that are not the last evaluation of their name and step",
      """
      SELECT m.trial FROM metrics m JOIN evaluations e
        ON e.trial = m.trial AND e.name = m.name AND e.step = m.step
      GROUP BY m.trial, m.name
      HAVING SUM(e.value IS m.value) = 0
      """
    ),
  ]

  private func verifyChecksums(in database: Database) throws -> [String] {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT t.key, t.generation, t.identity, t.method, t.parameters, t.seed, t.checksum,
          r.history_checksum, \(StoreRows.resultColumns)
        FROM trials t JOIN results r ON r.trial = t.key ORDER BY t.key
        """)
    var problems: [String] = []
    while let row = try rows.next() {
      let columns = StoreColumns(row: row, place: path)
      let key = try columns.integer(0)
      let identity = try columns.text(2)
      let checksum = StoreRows.trialChecksum(
        key: key, generation: try columns.integer(1), identity: identity,
        method: try columns.text(3), parameters: try columns.text(4), seed: try columns.integer(5))
      let (written, history) = (try columns.integer(6), try columns.integer(7))
      if TrialIdentity(identity) == nil || checksum != written {
        problems.append("trial \(key) is not what was written")
      }
      let metrics = try StoreRows.metrics(of: key, in: database, place: path)
      do {
        _ = try StoreRows.result(columns, first: 8, key: key, metrics: metrics)
      } catch is StoreError {
        problems.append("result \(key) is not what was written")
      }
      let points = try StoreRows.evaluations(of: key, in: database, place: path)
      if StoreRows.historyChecksum(of: points, key: key) != history {
        problems.append("the history of trial \(key) is not what was written")
      }
      if problems.count >= 20 { break }
    }
    return problems
  }
}

extension ResultStore {
  /// Checks everything the store promises of what is committed; see `ResultReader.verify`.
  package func verify() throws -> [String] {
    try reader().verify()
  }
}
