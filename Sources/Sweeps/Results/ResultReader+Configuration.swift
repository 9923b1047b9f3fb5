import GRDB

extension ResultReader {
  /// The configuration that a trial was run with; nil where the store has none of this identity.
  package func configuration(of identity: TrialIdentity) throws -> TrialConfiguration? {
    let text = try read { database in
      try String.fetchOne(
        database, sql: "SELECT configuration FROM trials WHERE identity = ?",
        arguments: [identity.description])
    }
    guard let text else { return nil }
    do throws(TrialConfigurationError) {
      return try TrialConfiguration(json: text)
    } catch {
      throw StoreError.damaged(
        place: path, problem: "the configuration of trial \(identity): \(error)")
    }
  }

  /// The trials of the sweep that are complete, in the order of the report.
  package func completeTrials() throws -> [StoredTrial] {
    var trials: [StoredTrial] = []
    try forEachTrial { if $0.result.status == .complete { trials.append($0) } }
    return trials
  }
}
