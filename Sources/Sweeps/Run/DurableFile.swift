import Foundation

/// Files that are either what they were or what they are to be, whenever the machine stops.
package enum DurableFile {
  /// Replaces the file at `path`: a temporary file beside it, fsync, rename, fsync of the directory.
  package static func write(_ text: String, to path: String) throws(DirectoryError) {
    let temporary = "\(path).\(getpid()).tmp"
    try create(temporary, containing: Array(text.utf8))
    guard rename(temporary, path) == 0 else {
      let failure = DirectoryError(errno, at: path)
      unlink(temporary)
      throw failure
    }
    try synchronizeDirectory((path as NSString).deletingLastPathComponent)
  }

  /// Makes the names in the directory at `path` durable.
  package static func synchronizeDirectory(_ path: String) throws(DirectoryError) {
    let path = path.isEmpty ? "." : path
    let descriptor = open(path, O_RDONLY | O_DIRECTORY)
    guard descriptor >= 0 else { throw DirectoryError(errno, at: path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw DirectoryError(errno, at: path) }
  }

  /// Writes a new file at `path` and waits until it is on the disk; leaves none behind if it fails.
  static func create(_ path: String, containing bytes: [UInt8]) throws(DirectoryError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw DirectoryError(errno, at: path) }
    defer { close(descriptor) }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.write(descriptor, $0.baseAddress! + written, bytes.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let failure = DirectoryError(errno, at: path)
        unlink(path)
        throw failure
      }
      written += count
    }
    guard fsync(descriptor) == 0 else {
      let failure = DirectoryError(errno, at: path)
      unlink(path)
      throw failure
    }
  }
}

extension DirectoryError {
  /// What `code`, a value of errno, means for `path`.
  init(_ code: Int32, at path: String) {
    self =
      code == ENOSPC || code == EDQUOT
      ? .full(path: path) : .unusable(path: path, problem: String(cString: strerror(code)))
  }
}
