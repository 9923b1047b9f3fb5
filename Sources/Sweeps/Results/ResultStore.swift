import Foundation
import GRDB
import MemoryNets

/// The results of a sweep in `DIR/results.sqlite`, written by one process.
///
/// What is appended waits in memory until `commit`, which writes all of it in one transaction: after
/// a crash the store holds every committed result and no half of one. How every finished trial ended
/// is known without asking the file.
package final class ResultStore: ResultSink {
  package let path: String
  /// What the store knows of the sweep.
  package private(set) var sweep: SweepRecord

  private let queue: DatabaseQueue
  private let encodeConfiguration: (TrialConfiguration) -> String
  private let eventLog: EventLog?
  private var entries: [TrialIdentity: Entry] = [:]
  private var pending: [Change] = []
  private var nextKey = 1
  /// By kind: how many events each trial had before this opening.
  private var formerEvents: [String: [TrialIdentity: Int]] = [:]
  private var generation = 1

  /// What is known of a finished trial: half a word of its row, and how it ended.
  private struct Entry {
    var key: Int
    var status: TrialStatus
    var isOfThisSweep: Bool
  }

  private enum Change {
    case result(TrialResult, Trial, key: Int)
    case adoption(Trial, key: Int)
    case event(SweepEvent)
  }

  /// Opens the store of the output folder `directory` for writing, making both if need be.
  ///
  /// Results of a sweep with another fingerprint or numeric contract stay in the store; they are
  /// shown again once they are adopted. `encodeConfiguration` gives the canonical JSON of a
  /// configuration; `eventLog` is told every event too. Throws `StoreError`.
  package init(
    directory: String, sweep: SweepRecord, eventLog: EventLog? = nil,
    encodeConfiguration: @escaping (TrialConfiguration) -> String
  ) throws {
    path = StoreFile.path(in: directory)
    queue = try StoreFile.openForWriting(in: directory)
    self.sweep = sweep
    self.eventLog = eventLog
    self.encodeConfiguration = encodeConfiguration
    try describingErrors(at: path) {
      try queue.inTransaction(.immediate) { database in
        try begin(in: database)
        try load(from: database)
        try loadEvents(from: database)
        return .commit
      }
    }
  }

  /// The number of finished trials in the store, of this sweep or an earlier state of it.
  package var count: Int { entries.count }

  package func status(of identity: TrialIdentity) -> TrialStatus? {
    entries[identity]?.status
  }

  /// Adds the result of a trial; where there is one already, the first one stays.
  package func append(_ result: TrialResult, of trial: Trial) {
    guard entries[trial.identity] == nil else { return }
    entries[trial.identity] = Entry(key: nextKey, status: result.status, isOfThisSweep: true)
    pending.append(.result(StoreRows.storable(result), trial, key: nextKey))
    nextKey += 1
  }

  package func adopt(_ trial: Trial) {
    guard let entry = entries[trial.identity], !entry.isOfThisSweep else { return }
    entries[trial.identity]?.isOfThisSweep = true
    pending.append(.adoption(trial, key: entry.key))
  }

  package func append(_ event: SweepEvent) {
    pending.append(.event(event))
    eventLog?.append(event)
  }

  package func eventCounts(of kind: String) -> [TrialIdentity: Int] {
    formerEvents[kind] ?? [:]
  }

  /// Writes all that was appended and waits until it is on the disk.
  ///
  /// Throws `StoreError`; nothing of it is then in the file, and all of it is tried again by the
  /// next commit.
  package func commit() throws {
    if !pending.isEmpty {
      try describingErrors(at: path) {
        try queue.inTransaction(.immediate) { database in
          for change in pending { try write(change, to: database) }
          return .commit
        }
      }
      pending.removeAll(keepingCapacity: true)
    }
    try eventLog?.flush()
  }

  /// Replaces the trivial baselines, durably.
  package func setBaselines(_ baselines: [TaskBaseline]) throws {
    try describingErrors(at: path) {
      try queue.inTransaction(.immediate) { database in
        guard try StoreRows.baselines(in: database, place: path) != baselines.sorted() else {
          return .rollback
        }
        try database.execute(sql: "DELETE FROM baselines")
        for baseline in Set(baselines) { try StoreRows.insert(baseline, into: database) }
        return .commit
      }
    }
  }

  /// Reads the committed results over the connection of this store.
  package func reader() throws -> ResultReader {
    try ResultReader(sharing: queue, path: path)
  }

  /// Commits, and leaves one plain file that can be copied and read anywhere.
  package func close() throws {
    try commit()
    try StoreFile.finish(queue, path: path)
  }

  // MARK: - Opening

  /// Writes what this sweep is, if that is new.
  private func begin(in database: Database) throws {
    guard let stored = try StoreRows.sweep(in: database, place: path) else {
      return try StoreRows.replaceSweep(sweep, generation: generation, in: database)
    }
    generation = stored.generation
    sweep.createdWith = stored.record.createdWith
    guard sweep != stored.record else { return }
    if sweep.fingerprint != stored.record.fingerprint
      || sweep.numericContract != stored.record.numericContract
    {
      generation += 1
    }
    try StoreRows.replaceSweep(sweep, generation: generation, in: database)
  }

  private func load(from database: Database) throws {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT t.key, t.identity, t.generation, r.status
        FROM trials t LEFT JOIN results r ON r.trial = t.key
        """)
    while let row = try rows.next() {
      let columns = StoreColumns(row: row, place: path)
      let key = try columns.integer(0)
      guard let identity = TrialIdentity(try columns.text(1)),
        let status = try columns.optionalText(3).flatMap(TrialStatus.init),
        entries[identity] == nil
      else {
        throw StoreError.damaged(place: path, problem: "trial \(key) has no result, or two")
      }
      entries[identity] = Entry(
        key: key, status: status, isOfThisSweep: try columns.integer(2) == generation)
      nextKey = max(nextKey, key + 1)
    }
  }

  private func loadEvents(from database: Database) throws {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT kind, identity, COUNT(*) FROM events
        WHERE identity IS NOT NULL AND kind IN ('crashed', 'lease_expired') GROUP BY kind, identity
        """)
    while let row = try rows.next() {
      let columns = StoreColumns(row: row, place: path)
      guard let identity = TrialIdentity(try columns.text(1)) else { continue }
      formerEvents[try columns.text(0), default: [:]][identity] = try columns.integer(2)
    }
  }

  // MARK: - Writing

  private func write(_ change: Change, to database: Database) throws {
    switch change {
    case .result(let result, let trial, let key):
      try StoreRows.insert(
        trial, key: key, generation: generation,
        configuration: encodeConfiguration(trial.configuration), into: database)
      try StoreRows.insert(
        result, target: trial.configuration.metric.condition, key: key, into: database)
    case .adoption(let trial, let key):
      try StoreRows.relabel(trial, key: key, generation: generation, in: database)
    case .event(let event):
      try StoreRows.insert(event, into: database)
    }
  }
}
