/// A checkpoint that cannot be written, read or used.
package enum CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
  case unwritable(FileSystemError)
  case unreadable(FileSystemError)
  /// The contents are not those that were written.
  case damaged(path: String, problem: String)
  case version(path: String, found: Int)
  /// Whole, but of another trial or another model.
  case foreign(path: String, problem: String)

  /// Place, problem, remedy.
  package var description: String {
    switch self {
    case .unwritable(let error):
      "\(error.path): \(error.operation): \(error.reason); make room or choose another output "
        + "directory, then run the same command again"
    case .unreadable(let error):
      "\(error.path): \(error.operation): \(error.reason); make the file readable or remove it"
    case .damaged(let path, let problem):
      "\(path): damaged: \(problem); remove it: the trial goes on from an earlier checkpoint or "
        + "starts again, with the same result"
    case .version(let path, let found):
      "\(path): format version \(found), this program reads 1 to "
        + "\(Checkpoint.formatVersion); use the program that wrote it"
    case .foreign(let path, let problem):
      "\(path): \(problem); name the checkpoint of this trial"
    }
  }
}
