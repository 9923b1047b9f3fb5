import GRDB
import MemoryNets

/// The rows of one result: `results`, `metrics` and `evaluations`.
extension StoreRows {
  /// `result` as it will be read back: metrics once each and in ascending order of the bytes of
  /// their names, texts without the NUL at which SQLite would cut them.
  static func storable(_ result: TrialResult) -> TrialResult {
    var result = result
    var seen: Set<String> = []
    result.metrics = result.metrics.reversed().filter { seen.insert($0.name).inserted }
      .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    result.reason = result.reason?.replacing("\0", with: "")
    result.host = result.host.replacing("\0", with: "")
    return result
  }

  /// `target` is the condition that `stepsToTarget` is about.
  static func insert(
    _ result: TrialResult, target: String?, key: Int, into database: Database
  ) throws {
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO results (trial, status, steps, target, steps_to_target, reason, parameter_count,
          state_size, seconds, seconds_to_target, started_at, finished_at, host, rank, attempt,
          checksum, history_checksum)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      key, result.status.rawValue, result.steps, target, result.stepsToTarget, result.reason,
      result.parameterCount, result.stateSize, result.seconds, result.secondsToTarget,
      result.startedAt, result.finishedAt, result.host, result.rank, result.attempt,
      checksum(of: result, target: target, key: key), historyChecksum(of: result.history, key: key),
    ])
    let metric = try database.cachedStatement(
      sql: "INSERT INTO metrics (trial, name, step, value) VALUES (?, ?, ?, ?)")
    for point in result.metrics {
      try metric.execute(arguments: [key, point.name, point.step, point.value])
    }
    guard !result.history.isEmpty else { return }
    let evaluation = try database.cachedStatement(
      sql: "INSERT INTO evaluations (trial, position, step, name, value) VALUES (?, ?, ?, ?, ?)")
    for (position, point) in result.history.enumerated() {
      try evaluation.execute(arguments: [key, position, point.step, point.name, point.value])
    }
  }

  /// The result in a row of `resultColumns` beginning at `first`, with `metrics` beside it.
  static func result(
    _ columns: StoreColumns, first: Int, key: Int, metrics: [MetricPoint]
  ) throws -> (result: TrialResult, target: String?) {
    guard let status = TrialStatus(rawValue: try columns.text(first)) else {
      throw StoreError.damaged(place: columns.place, problem: "result \(key) has no known status")
    }
    var result = TrialResult(status: status, steps: try columns.integer(first + 1))
    result.stepsToTarget = try columns.optionalInteger(first + 2)
    result.reason = try columns.optionalText(first + 3)
    result.parameterCount = try columns.integer(first + 4)
    result.stateSize = try columns.integer(first + 5)
    result.seconds = try columns.number(first + 6)
    result.secondsToTarget = try columns.optionalNumber(first + 7)
    result.startedAt = try columns.number(first + 8)
    result.finishedAt = try columns.number(first + 9)
    result.host = try columns.text(first + 10)
    result.rank = try columns.integer(first + 11)
    result.attempt = try columns.integer(first + 12)
    result.metrics = metrics
    let target = try columns.optionalText(first + 14)
    guard try columns.integer(first + 13) == checksum(of: result, target: target, key: key) else {
      throw StoreError.damaged(
        place: columns.place, problem: "result \(key) is not what was written")
    }
    return (result, target)
  }

  static let resultColumns = """
    r.status, r.steps, r.steps_to_target, r.reason, r.parameter_count, r.state_size, r.seconds,
    r.seconds_to_target, r.started_at, r.finished_at, r.host, r.rank, r.attempt, r.checksum,
    r.target
    """

  /// The last values of trial `key`, in ascending order of name.
  static func metrics(of key: Int, in database: Database, place: String) throws -> [MetricPoint] {
    let statement = try database.cachedStatement(
      sql: "SELECT step, name, value FROM metrics WHERE trial = ? ORDER BY name")
    return try points(statement, key: key, place: place)
  }

  /// Every evaluation of trial `key`, in order.
  static func evaluations(
    of key: Int, in database: Database, place: String
  ) throws -> [MetricPoint] {
    let statement = try database.cachedStatement(
      sql: "SELECT step, name, value FROM evaluations WHERE trial = ? ORDER BY position")
    return try points(statement, key: key, place: place)
  }

  private static func points(
    _ statement: Statement, key: Int, place: String
  ) throws -> [MetricPoint] {
    let rows = try Row.fetchCursor(statement, arguments: [key])
    var points: [MetricPoint] = []
    while let row = try rows.next() {
      let columns = StoreColumns(row: row, place: place)
      points.append(
        MetricPoint(
          step: try columns.integer(0), name: try columns.text(1), value: try columns.number(2)))
    }
    return points
  }

  // MARK: - Checksums

  static func checksum(of result: TrialResult, target: String?, key: Int) -> Int {
    var checksum = RowChecksum()
    checksum.add(key)
    checksum.add(result.status.rawValue)
    checksum.add(result.steps)
    checksum.add(target)
    checksum.add(result.stepsToTarget)
    checksum.add(result.reason)
    checksum.add(result.parameterCount)
    checksum.add(result.stateSize)
    checksum.add(result.seconds)
    checksum.add(result.secondsToTarget)
    checksum.add(result.startedAt)
    checksum.add(result.finishedAt)
    checksum.add(result.host)
    checksum.add(result.rank)
    checksum.add(result.attempt)
    add(result.metrics, to: &checksum)
    return checksum.value
  }

  static func historyChecksum(of history: [MetricPoint], key: Int) -> Int {
    var checksum = RowChecksum()
    checksum.add(key)
    add(history, to: &checksum)
    return checksum.value
  }

  private static func add(_ points: [MetricPoint], to checksum: inout RowChecksum) {
    for point in points {
      checksum.add(point.step)
      checksum.add(point.name)
      checksum.add(point.value)
    }
  }
}
