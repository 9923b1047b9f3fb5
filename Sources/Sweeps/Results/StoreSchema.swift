import GRDB

/// The tables of a result store; `docs/results.md` describes them.
enum StoreSchema {
  /// `mswp`, in the header of the file.
  static let applicationIdentifier = 0x6d73_7770
  static let version = 1

  static func create(in database: Database) throws {
    try database.execute(sql: sql)
    try database.execute(sql: "PRAGMA application_id = \(applicationIdentifier)")
    try database.execute(sql: "PRAGMA user_version = \(version)")
  }

  private static let sql = """
    CREATE TABLE sweep (
      key              INTEGER PRIMARY KEY CHECK (key = 1),
      name             TEXT NOT NULL,
      metric           TEXT NOT NULL,
      goal             TEXT NOT NULL CHECK (goal IN ('maximize', 'minimize')),
      target           REAL,
      stop_at_target   INTEGER NOT NULL,
      methods          TEXT NOT NULL,
      trials           INTEGER,
      fingerprint      TEXT NOT NULL,
      generation       INTEGER NOT NULL,
      created_with     TEXT NOT NULL,
      numeric_contract TEXT NOT NULL,
      schema_version   INTEGER NOT NULL,
      checksum         INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE trials (
      key           INTEGER PRIMARY KEY,
      generation    INTEGER NOT NULL,
      identity      TEXT NOT NULL UNIQUE,
      method        TEXT NOT NULL,
      parameters    TEXT NOT NULL,
      seed          INTEGER NOT NULL,
      configuration TEXT NOT NULL,
      checksum      INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE results (
      trial             INTEGER PRIMARY KEY REFERENCES trials (key) ON DELETE CASCADE,
      status            TEXT NOT NULL
        CHECK (status IN ('complete', 'diverged', 'failed', 'timed_out')),
      steps             INTEGER NOT NULL,
      target            TEXT,
      steps_to_target   INTEGER,
      reason            TEXT,
      parameter_count   INTEGER NOT NULL,
      state_size        INTEGER NOT NULL,
      seconds           REAL,
      seconds_to_target REAL,
      started_at        REAL,
      finished_at       REAL,
      host              TEXT NOT NULL,
      rank              INTEGER NOT NULL,
      attempt           INTEGER NOT NULL,
      checksum          INTEGER NOT NULL,
      history_checksum  INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE metrics (
      trial INTEGER NOT NULL REFERENCES results (trial) ON DELETE CASCADE,
      name  TEXT NOT NULL,
      step  INTEGER NOT NULL,
      value REAL,
      PRIMARY KEY (trial, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE evaluations (
      trial    INTEGER NOT NULL REFERENCES results (trial) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      step     INTEGER NOT NULL,
      name     TEXT NOT NULL,
      value    REAL,
      PRIMARY KEY (trial, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE events (
      key      INTEGER PRIMARY KEY,
      time     REAL NOT NULL,
      kind     TEXT NOT NULL,
      identity TEXT,
      rank     INTEGER,
      detail   TEXT NOT NULL
    ) STRICT;

    CREATE TABLE baselines (
      task     TEXT NOT NULL,
      name     TEXT NOT NULL,
      metric   TEXT NOT NULL,
      value    REAL NOT NULL,
      checksum INTEGER NOT NULL,
      PRIMARY KEY (task, name, metric)
    ) STRICT, WITHOUT ROWID;

    CREATE VIEW finished AS
      SELECT t.key AS trial, t.identity, t.method, t.parameters, t.seed, r.status, r.steps,
        r.target, r.steps_to_target, r.reason, r.parameter_count, r.state_size, r.seconds,
        r.seconds_to_target, r.started_at, r.finished_at, r.host, r.rank, r.attempt
      FROM trials t JOIN results r ON r.trial = t.key
      WHERE t.generation = (SELECT generation FROM sweep);
    """
}
