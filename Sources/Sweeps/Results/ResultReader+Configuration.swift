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

  /// The trials that have a result, those of earlier states of the sweep too.
  func identities(in database: Database) throws -> Set<TrialIdentity> {
    let texts = try String.fetchCursor(database, sql: "SELECT identity FROM trials")
    var identities: Set<TrialIdentity> = []
    while let text = try texts.next() {
      if let identity = TrialIdentity(text) { identities.insert(identity) }
    }
    return identities
  }

  /// The trials of the sweep that are complete, in the order of the report.
  package func completeTrials() throws -> [StoredTrial] {
    var trials: [StoredTrial] = []
    try forEachTrial { if $0.result.status == .complete { trials.append($0) } }
    return trials
  }
}
