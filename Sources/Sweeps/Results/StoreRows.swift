import GRDB
import MemoryNets

/// The rows of the store's tables, written and read with their checksums.
enum StoreRows {
  // MARK: - Sweep

  static func replaceSweep(
    _ record: SweepRecord, generation: Int, in database: Database
  ) throws {
    try database.execute(
      sql: """
        INSERT OR REPLACE INTO sweep (key, name, metric, goal, target, stop_at_target, methods,
          trials, fingerprint, generation, created_with, numeric_contract, schema_version, checksum)
        VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        record.name, record.metric.name, record.metric.direction.rawValue, record.metric.target,
        record.metric.stopsAtTarget ? 1 : 0, methodsText(record), record.trialCount,
        record.fingerprint, generation, record.createdWith, record.numericContract,
        StoreSchema.version, checksum(of: record, generation: generation),
      ])
  }

  static func sweep(
    in database: Database, place: String
  ) throws -> (record: SweepRecord, generation: Int)? {
    let query = """
      SELECT name, metric, goal, target, stop_at_target, methods, trials, fingerprint, generation,
        created_with, numeric_contract, checksum
      FROM sweep
      """
    guard let row = try Row.fetchOne(database, sql: query) else { return nil }
    let columns = StoreColumns(row: row, place: place)
    guard let direction = MetricGoal.Direction(rawValue: try columns.text(2)),
      let methods = JSONText.readStrings(try columns.text(5))
    else {
      throw StoreError.damaged(place: place, problem: "the sweep's row makes no sense")
    }
    let record = SweepRecord(
      name: try columns.text(0),
      metric: MetricGoal(
        name: try columns.text(1), direction: direction, target: try columns.optionalNumber(3),
        stopsAtTarget: try columns.integer(4) != 0),
      methods: methods, trialCount: try columns.optionalInteger(6),
      fingerprint: try columns.text(7), createdWith: try columns.text(9),
      numericContract: try columns.text(10))
    let generation = try columns.integer(8)
    guard try columns.integer(11) == checksum(of: record, generation: generation) else {
      throw StoreError.damaged(place: place, problem: "the sweep's row is not what was written")
    }
    return (record, generation)
  }

  private static func methodsText(_ record: SweepRecord) -> String {
    JSONText.array(record.methods.map { JSONText.string($0) })
  }

  private static func checksum(of record: SweepRecord, generation: Int) -> Int {
    var checksum = RowChecksum()
    checksum.add(record.name)
    checksum.add(record.metric.name)
    checksum.add(record.metric.direction.rawValue)
    checksum.add(record.metric.target)
    checksum.add(record.metric.stopsAtTarget ? 1 : 0)
    checksum.add(methodsText(record))
    checksum.add(record.trialCount)
    checksum.add(record.fingerprint)
    checksum.add(generation)
    checksum.add(record.createdWith)
    checksum.add(record.numericContract)
    return checksum.value
  }

  // MARK: - Trials

  static func insert(
    _ trial: Trial, key: Int, generation: Int, configuration: String, into database: Database
  ) throws {
    let identity = trial.identity.description
    let parameters = JSONText.parameters(trial.parameters)
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO trials
          (key, generation, identity, method, parameters, seed, configuration, checksum)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      key, generation, identity, trial.method, parameters, trial.seed, configuration,
      trialChecksum(
        key: key, generation: generation, identity: identity, method: trial.method,
        parameters: parameters, seed: trial.seed),
    ])
  }

  static func relabel(_ trial: Trial, key: Int, generation: Int, in database: Database) throws {
    let parameters = JSONText.parameters(trial.parameters)
    let statement = try database.cachedStatement(
      sql: """
        UPDATE trials SET generation = ?, method = ?, parameters = ?, checksum = ? WHERE key = ?
        """)
    try statement.execute(arguments: [
      generation, trial.method, parameters,
      trialChecksum(
        key: key, generation: generation, identity: trial.identity.description,
        method: trial.method, parameters: parameters, seed: trial.seed), key,
    ])
  }

  /// The configuration is not in it: the identity is its hash already.
  static func trialChecksum(
    key: Int, generation: Int, identity: String, method: String, parameters: String, seed: Int
  ) -> Int {
    var checksum = RowChecksum()
    checksum.add(key)
    checksum.add(generation)
    checksum.add(identity)
    checksum.add(method)
    checksum.add(parameters)
    checksum.add(seed)
    return checksum.value
  }

  // MARK: - Events and baselines

  static func insert(_ event: SweepEvent, into database: Database) throws {
    let statement = try database.cachedStatement(
      sql: "INSERT INTO events (time, kind, identity, rank, detail) VALUES (?, ?, ?, ?, ?)")
    try statement.execute(arguments: [
      event.time, event.kind, event.identity?.description, event.rank, event.detail,
    ])
  }

  static func insert(_ baseline: TaskBaseline, into database: Database) throws {
    let trivial = baseline.baseline
    try database.execute(
      sql: "INSERT INTO baselines (task, name, metric, value, checksum) VALUES (?, ?, ?, ?, ?)",
      arguments: [
        baseline.task, trivial.name, trivial.metric, trivial.value, checksum(of: baseline),
      ])
  }

  /// In ascending order of task, name and metric.
  static func baselines(in database: Database, place: String) throws -> [TaskBaseline] {
    let rows = try Row.fetchCursor(
      database, sql: "SELECT task, name, metric, value, checksum FROM baselines")
    var baselines: [TaskBaseline] = []
    while let row = try rows.next() {
      let columns = StoreColumns(row: row, place: place)
      let baseline = TaskBaseline(
        task: try columns.text(0),
        baseline: TrivialBaseline(
          name: try columns.text(1), metric: try columns.text(2), value: try columns.number(3)))
      guard try columns.integer(4) == checksum(of: baseline) else {
        throw StoreError.damaged(place: place, problem: "a baseline is not what was written")
      }
      baselines.append(baseline)
    }
    return baselines.sorted()
  }

  private static func checksum(of baseline: TaskBaseline) -> Int {
    var checksum = RowChecksum()
    checksum.add(baseline.task)
    checksum.add(baseline.baseline.name)
    checksum.add(baseline.baseline.metric)
    checksum.add(baseline.baseline.value)
    return checksum.value
  }
}

extension TaskBaseline: Comparable {
  package static func < (a: TaskBaseline, b: TaskBaseline) -> Bool {
    (a.task, a.baseline.name, a.baseline.metric) < (b.task, b.baseline.name, b.baseline.metric)
  }
}
