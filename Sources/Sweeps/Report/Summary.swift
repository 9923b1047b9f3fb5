import MemoryNets

/// The results of a sweep, grouped over seeds.
package struct Summary: Sendable {
  package let sweep: SweepRecord
  /// Methods in the order of the sweep file, then parameters in natural order.
  package let rows: [SummaryRow]
  package let baselines: [TaskBaseline]
  /// The first trials that did not complete, in the order of the rows and seeds.
  package let failures: [StoredTrial]
  /// The number of all trials that did not complete.
  package let failureCount: Int
  /// Finished trials in the store that are not part of the sweep as it was last started.
  package let earlierCount: Int

  /// At most so many failures are kept one by one.
  package static let listedFailures = 10

  /// Reads one state of the store; memory grows with the rows, not with the trials.
  package init(_ reader: ResultReader) throws {
    var rows: [SummaryRow] = []
    var row: [StoredTrial] = []
    var failures: [StoredTrial] = []
    var failureCount = 0
    (self.sweep, baselines, earlierCount) = try reader.read { database in
      let sweep = try reader.sweep(in: database).record
      try reader.forEachTrial(in: database) { trial in
        if let first = row.first,
          first.method != trial.method || first.parameters != trial.parameters
        {
          rows.append(SummaryRow(row, metric: sweep.metric))
          row = []
        }
        row.append(trial)
        guard trial.result.status != .complete else { return }
        failureCount += 1
        if failures.count < Self.listedFailures { failures.append(trial) }
      }
      return (
        sweep, try StoreRows.baselines(in: database, place: reader.path),
        try reader.earlierCount(in: database)
      )
    }
    if !row.isEmpty { rows.append(SummaryRow(row, metric: sweep.metric)) }
    self.rows = rows
    self.failures = failures
    self.failureCount = failureCount
  }

  /// The number of finished trials of the sweep.
  package var trialCount: Int { rows.reduce(0) { $0 + $1.count } }
}
