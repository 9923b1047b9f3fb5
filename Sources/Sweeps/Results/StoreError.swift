import Foundation
import GRDB

/// A result store that cannot be used: where, what is wrong, and what would be right.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable, CaseIterable {
    /// There is no store at this place.
    case missing
    /// A folder or file that cannot be read or written.
    case inaccessible
    /// Another process holds the store.
    case inUse
    /// No room on the disk.
    case full
    /// A file that memsweep did not write.
    case foreign
    /// A store of another schema version.
    case otherVersion
    /// A store whose content is not what was written.
    case damaged
  }

  package let kind: Kind
  /// The file or folder.
  package let place: String
  package let problem: String
  package let remedy: String

  package init(_ kind: Kind, place: String, problem: String, remedy: String) {
    self.kind = kind
    self.place = place
    self.problem = problem
    self.remedy = remedy
  }

  package var description: String { "\(place): \(problem); \(remedy)" }
}

extension StoreError {
  /// What SQLite reports about the file at `place`.
  init(_ error: DatabaseError, place: String) {
    let message = error.message ?? "error \(error.extendedResultCode.rawValue)"
    switch error.resultCode {
    case .SQLITE_NOTADB:
      self = .foreign(place: place, problem: "is no SQLite database")
    case .SQLITE_CORRUPT, .SQLITE_FORMAT, .SQLITE_CONSTRAINT, .SQLITE_SCHEMA, .SQLITE_ERROR,
      .SQLITE_MISMATCH, .SQLITE_TOOBIG:
      self = .damaged(place: place, problem: message)
    case .SQLITE_FULL:
      self.init(
        .full, place: place, problem: "no room left on the disk",
        remedy: "free some space and start again; everything committed is kept")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      self.init(
        .inUse, place: place, problem: "another process is writing (\(message))",
        remedy: "wait until it has ended, or end it, and start again")
    default:
      self.init(
        .inaccessible, place: place, problem: message,
        remedy: "make the folder and its files readable and writable, or name another folder")
    }
  }

  static func damaged(place: String, problem: String) -> StoreError {
    StoreError(
      .damaged, place: place, problem: "the store is damaged: \(problem)",
      remedy: "restore a copy of it, or move it away to run the sweep afresh")
  }

  static func foreign(place: String, problem: String) -> StoreError {
    StoreError(
      .foreign, place: place, problem: problem,
      remedy: "move it away, or name another output folder")
  }
}

/// Runs `body`, turning SQLite's errors into `StoreError`s about `place`; others pass through.
func describingErrors<Value>(at place: String, _ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let error as DatabaseError {
    throw StoreError(error, place: place)
  }
}
