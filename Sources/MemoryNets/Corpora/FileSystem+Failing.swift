extension FileSystem {
  /// Puts at `path` durably what `contents` hands to its argument, as `replace` does, where more than
  /// the file system can fail.
  func replaceFile(
    at path: String, contents: (@escaping SectionWriter.Write) throws -> Void
  ) throws {
    var failure: (any Error)?
    do {
      try replace(path) { (write) throws(FileSystemError) in
        do {
          try withoutActuallyEscaping(write) { write in try contents { try write($0, $1) } }
        } catch {
          failure = error
          throw FileSystemError(operation: "write", path: path, reason: "\(error)")
        }
      }
    } catch {
      throw failure ?? error
    }
  }
}
