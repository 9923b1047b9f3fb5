import Foundation
import GRDB

/// The file `results.sqlite` of an output folder: making it, opening it, and finding out whether it
/// can be trusted.
package enum StoreFile {
  package static let name = "results.sqlite"

  /// Files up to this size are checked page by page when they are opened: a fraction of a second.
  package static let checkedBytes = 256 << 20

  package static func path(in directory: String) -> String {
    directory.hasSuffix("/") ? directory + name : directory + "/" + name
  }

  /// Opens the store of `directory` for the one process that writes, making it if there is none.
  package static func openForWriting(in directory: String) throws -> DatabaseQueue {
    let path = path(in: directory)
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
    } catch {
      throw StoreError(
        .inaccessible, place: directory, problem: "the output folder cannot be made",
        remedy: "make its parent writable, or name another folder")
    }
    if !FileManager.default.fileExists(atPath: path) { try create(at: path) }
    return try describingErrors(at: path) {
      var configuration = Configuration()
      configuration.busyMode = .timeout(10)
      // A transaction that cannot even be rolled back is an error of the next one, not a trap.
      configuration.allowsUnsafeTransactions = true
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.inDatabase { database in
        try check(database, place: path)
        let mode = JournalMode.suiting(path).rawValue
        let actual = try String.fetchOne(database, sql: "PRAGMA journal_mode = \(mode)")
        guard actual == mode else {
          throw StoreError(
            .inaccessible, place: path, problem: "the journal cannot be set to \(mode)",
            remedy: "make the folder writable, or name another folder")
        }
        try database.execute(
          sql: """
            PRAGMA synchronous = FULL;
            PRAGMA wal_autocheckpoint = 4000;
            PRAGMA cache_size = -65536;
            """)
      }
      return queue
    }
  }

  /// Opens the store of `directory` for reading, also while another process writes to it.
  ///
  /// Where SQLite would have to write beside the file and may not (an unfinished journal in a
  /// read-only folder), a copy in a temporary folder is opened: `temporary`, which the caller
  /// removes.
  package static func openForReading(
    in directory: String
  ) throws -> (queue: DatabaseQueue, temporary: String?) {
    let path = path(in: directory)
    guard FileManager.default.fileExists(atPath: path) else {
      throw StoreError(
        .missing, place: path, problem: "there is no result store",
        remedy: "name the output folder of a sweep that has been started")
    }
    do {
      return (try read(path, place: path), nil)
    } catch let error as StoreError where error.kind == .inaccessible {
      guard FileManager.default.isReadableFile(atPath: path) else { throw error }
      let folder = try copyToTemporaryFolder(path, cause: error)
      do {
        return (try read(folder + "/" + name, place: path), folder)
      } catch {
        try? FileManager.default.removeItem(atPath: folder)
        throw error
      }
    }
  }

  /// Leaves one plain file without a journal, which can be copied and read anywhere.
  package static func finish(_ queue: DatabaseQueue, path: String) throws {
    try describingErrors(at: path) {
      try queue.inDatabase { database in
        // A reader may hold the file at this moment: then the journal stays, harmlessly.
        try database.execute(sql: "PRAGMA busy_timeout = 0")
        _ = try? String.fetchOne(database, sql: "PRAGMA journal_mode = DELETE")
      }
      try queue.close()
    }
  }

  // MARK: - Steps

  /// Makes an empty store under another name and moves it into place, so that a file of this name
  /// is never half made.
  private static func create(at path: String) throws {
    let unfinished = path + ".new"
    for suffix in ["", "-journal", "-wal", "-shm"] {
      try? FileManager.default.removeItem(atPath: unfinished + suffix)
    }
    try describingErrors(at: path) {
      let queue = try DatabaseQueue(path: unfinished)
      try queue.inDatabase { try $0.execute(sql: "PRAGMA synchronous = EXTRA") }
      try queue.inTransaction { database in
        try StoreSchema.create(in: database)
        return .commit
      }
      try queue.close()
    }
    guard rename(unfinished, path) == 0, synchronizeFolder(of: path) else {
      throw StoreError(
        .inaccessible, place: path, problem: String(cString: strerror(errno)),
        remedy: "make the folder writable, or name another folder")
    }
  }

  private static func synchronizeFolder(of path: String) -> Bool {
    let descriptor = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return fsync(descriptor) == 0
  }

  private static func read(_ path: String, place: String) throws -> DatabaseQueue {
    try describingErrors(at: place) {
      var configuration = Configuration()
      configuration.readonly = true
      configuration.busyMode = .timeout(10)
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.read { try check($0, place: place) }
      return queue
    }
  }

  private static func copyToTemporaryFolder(_ path: String, cause: StoreError) throws -> String {
    let manager = FileManager.default
    let folder = NSTemporaryDirectory() + "/memsweep-" + UUID().uuidString
    do {
      try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for suffix in ["", "-wal", "-journal"] where manager.fileExists(atPath: path + suffix) {
        try manager.copyItem(atPath: path + suffix, toPath: folder + "/" + name + suffix)
      }
    } catch {
      try? manager.removeItem(atPath: folder)
      throw cause
    }
    return folder
  }

  /// Throws unless the file is a store of this version whose pages are whole.
  private static func check(_ database: Database, place: String) throws {
    let application = try Int.fetchOne(database, sql: "PRAGMA application_id")
    guard application == StoreSchema.applicationIdentifier else {
      throw StoreError.foreign(place: place, problem: "is an SQLite database of another program")
    }
    let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    guard version == StoreSchema.version else {
      throw StoreError(
        .otherVersion, place: place,
        problem: "is a store of version \(version); this memsweep reads \(StoreSchema.version)",
        remedy: "use the memsweep that wrote it, or name another output folder")
    }
    let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
    let pageBytes = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 0
    guard pages * pageBytes <= checkedBytes else { return }
    let finding = try String.fetchOne(database, sql: "PRAGMA quick_check(1)")
    guard finding == "ok" else {
      throw StoreError.damaged(place: place, problem: finding ?? "its check has no outcome")
    }
  }
}
