import Foundation
import GRDB

/// The committed results of a sweep, read-only; another process may be writing.
///
/// Every function sees one state of the store, however long it takes. All throw `StoreError`; a row
/// whose checksum is wrong ends the reading as `damaged` instead of entering a statistic.
package final class ResultReader {
  package let path: String
  let queue: DatabaseQueue
  private let temporaryFolder: String?

  /// Opens the store of the output folder `directory`.
  package init(directory: String) throws {
    path = StoreFile.path(in: directory)
    (queue, temporaryFolder) = try StoreFile.openForReading(in: directory)
    _ = try sweep()
  }

  init(sharing queue: DatabaseQueue, path: String) throws {
    self.path = path
    self.queue = queue
    temporaryFolder = nil
  }

  deinit {
    guard let temporaryFolder else { return }
    try? queue.close()
    try? FileManager.default.removeItem(atPath: temporaryFolder)
  }

  /// What the store knows of the sweep, as it was last started.
  package func sweep() throws -> SweepRecord {
    try read { try self.sweep(in: $0).record }
  }

  package func baselines() throws -> [TaskBaseline] {
    try read { try StoreRows.baselines(in: $0, place: path) }
  }

  /// The names of all metrics that the sweep's results have, in ascending order.
  package func metricNames() throws -> [String] {
    try read { try metricNames(in: $0) }
  }

  /// Every evaluation of a trial, in order; empty where there is none.
  package func history(of identity: TrialIdentity) throws -> [MetricPoint] {
    try read { try history(of: identity, in: $0) }
  }

  /// The number of finished trials that are not part of the sweep as it was last started.
  package func earlierCount() throws -> Int {
    try read { try earlierCount(in: $0) }
  }

  /// Calls `body` with every trial of the sweep: methods in the order of the sweep file, then
  /// parameters, then seeds in ascending order.
  package func forEachTrial(_ body: (StoredTrial) throws -> Void) throws {
    try read { try forEachTrial(in: $0, body) }
  }

  // MARK: - Within one state of the store

  func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try describingErrors(at: path) { try queue.read(body) }
  }

  func sweep(in database: Database) throws -> (record: SweepRecord, generation: Int) {
    guard let sweep = try StoreRows.sweep(in: database, place: path) else {
      throw StoreError.damaged(place: path, problem: "the sweep has no row")
    }
    return sweep
  }

  func metricNames(in database: Database) throws -> [String] {
    let names = try String.fetchAll(
      database,
      sql: """
        SELECT DISTINCT m.name FROM metrics m JOIN trials t ON t.key = m.trial
        WHERE t.generation = ?
        """, arguments: [try sweep(in: database).generation])
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  func earlierCount(in database: Database) throws -> Int {
    try Int.fetchOne(
      database, sql: "SELECT COUNT(*) FROM trials WHERE generation <> ?",
      arguments: [try sweep(in: database).generation]) ?? 0
  }

  func forEachTrial(in database: Database, _ body: (StoredTrial) throws -> Void) throws {
    let sweep = try sweep(in: database)
    let (rows, groups) = try order(in: database, sweep: sweep.record, generation: sweep.generation)
    let statement = try database.cachedStatement(
      sql: """
        SELECT t.identity, t.generation, t.method, t.parameters, t.seed, t.checksum,
          \(StoreRows.resultColumns)
        FROM trials t JOIN results r ON r.trial = t.key WHERE t.key = ?
        """)
    for row in rows {
      guard let found = try Row.fetchOne(statement, arguments: [row.key]) else {
        throw StoreError.damaged(place: path, problem: "trial \(row.key) has no result")
      }
      let columns = StoreColumns(row: found, place: path)
      try body(
        try trial(
          columns, key: row.key, parameters: groups[row.group].parameters,
          metric: sweep.record.metric, in: database))
    }
  }

  /// Reads one row of the query above.
  private func trial(
    _ columns: StoreColumns, key: Int, parameters: [TrialParameter], metric: MetricGoal,
    in database: Database
  ) throws -> StoredTrial {
    let text = try columns.text(0)
    let method = try columns.text(2)
    let seed = try columns.integer(4)
    let checksum = StoreRows.trialChecksum(
      key: key, generation: try columns.integer(1), identity: text, method: method,
      parameters: try columns.text(3), seed: seed)
    guard let identity = TrialIdentity(text), try columns.integer(5) == checksum else {
      throw StoreError.damaged(place: path, problem: "trial \(key) is not what was written")
    }
    let metrics = try StoreRows.metrics(of: key, in: database, place: path)
    var (result, target) = try StoreRows.result(columns, first: 6, key: key, metrics: metrics)
    if target != metric.condition {
      // The sweep's target has been changed since: found again, without the time it took.
      result.stepsToTarget = try history(of: key, in: database)
        .first { $0.name == metric.name && metric.isReached(by: $0.value) }?.step
      result.secondsToTarget = nil
    }
    return StoredTrial(
      identity: identity, method: method, parameters: parameters, seed: seed, result: result)
  }

  func history(of identity: TrialIdentity, in database: Database) throws -> [MetricPoint] {
    let key = try Int.fetchOne(
      database, sql: "SELECT key FROM trials WHERE identity = ?",
      arguments: [identity.description])
    guard let key else { return [] }
    return try history(of: key, in: database)
  }

  private func history(of key: Int, in database: Database) throws -> [MetricPoint] {
    let history = try StoreRows.evaluations(of: key, in: database, place: path)
    let checksum = try Int.fetchOne(
      database, sql: "SELECT history_checksum FROM results WHERE trial = ?", arguments: [key])
    guard checksum == StoreRows.historyChecksum(of: history, key: key) else {
      throw StoreError.damaged(
        place: path, problem: "the history of trial \(key) is not what was written")
    }
    return history
  }

  /// All trials in order, each with its group: a method and its parameters.
  private func order(
    in database: Database, sweep: SweepRecord, generation: Int
  ) throws -> (rows: [OrderedRow], groups: [Group]) {
    let cursor = try Row.fetchCursor(
      database, sql: "SELECT key, method, parameters, seed FROM trials WHERE generation = ?",
      arguments: [generation])
    var groups: [Group] = []
    var numbers: [Label: Int] = [:]
    var rows: [OrderedRow] = []
    while let row = try cursor.next() {
      let columns = StoreColumns(row: row, place: path)
      let label = Label(method: try columns.text(1), parameters: try columns.text(2))
      let number = numbers[label] ?? groups.count
      if number == groups.count {
        guard let parameters = JSONText.readParameters(label.parameters) else {
          throw StoreError.damaged(place: path, problem: "parameters \(label.parameters)")
        }
        numbers[label] = number
        groups.append(Group(method: label.method, parameters: parameters))
      }
      rows.append(
        OrderedRow(group: number, seed: try columns.integer(3), key: try columns.integer(0)))
    }
    let place = MethodOrder(sweep.methods)
    let sorted = groups.indices.sorted { a, b in
      let (a, b) = (groups[a], groups[b])
      if a.method != b.method { return place.precedes(a.method, b.method) }
      return NaturalOrder.compare(a.parameters, b.parameters) < 0
    }
    var ranks = [Int](repeating: 0, count: groups.count)
    for (rank, group) in sorted.enumerated() { ranks[group] = rank }
    rows.sort { a, b in (ranks[a.group], a.seed, a.key) < (ranks[b.group], b.seed, b.key) }
    return (rows, groups)
  }

  private struct Label: Hashable {
    let method: String
    let parameters: String
  }

  private struct Group {
    let method: String
    let parameters: [TrialParameter]
  }

  private struct OrderedRow {
    let group: Int
    let seed: Int
    let key: Int
  }
}

extension ResultReader {
  /// Whether the output folder has a store.
  package static func exists(in directory: String) -> Bool {
    FileManager.default.fileExists(atPath: StoreFile.path(in: directory))
  }
}
