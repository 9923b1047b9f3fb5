/// Why an output directory cannot be used: the place, the problem and what to do.
package enum DirectoryError: Error, Hashable, CustomStringConvertible {
  /// A system call failed: `problem` is the system's own word for it.
  case unusable(path: String, problem: String)
  case full(path: String)
  /// A living run owns it: `owner` says which.
  case inUse(path: String, owner: String)

  package var description: String {
    switch self {
    case .unusable(let path, let problem):
      "\(path): \(problem); name a directory that can be written with output.directory"
    case .full(let path):
      "\(path): no space left; free some and run the same command again, nothing is lost"
    case .inUse(let path, let owner):
      "\(path): in use by \(owner); wait for that run to end or name another output.directory"
    }
  }
}
