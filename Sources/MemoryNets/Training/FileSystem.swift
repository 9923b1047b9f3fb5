import CKernels
import Foundation

/// An operation on a file that the system refused.
package struct FileSystemError: Error, Hashable, Sendable {
  /// `write`, `fsync`, `rename`, ...
  package let operation: String
  package let path: String
  /// The system's own words: `No space left on device`.
  package let reason: String

  package init(operation: String, path: String, reason: String) {
    self.operation = operation
    self.path = path
    self.reason = reason
  }
}

/// The operations on files that checkpoints need; tests put one here that fails.
package protocol FileSystem: Sendable {
  /// Makes the directory and those above it; one that exists is fine.
  func createDirectory(_ path: String) throws(FileSystemError)
  /// The names in a directory, in ascending order; of none there is, nothing.
  func names(in directory: String) throws(FileSystemError) -> [String]
  func read(_ path: String) throws(FileSystemError) -> [UInt8]
  /// Opens for writing, empty.
  func create(_ path: String) throws(FileSystemError) -> Int32
  func openDirectory(_ path: String) throws(FileSystemError) -> Int32
  /// Writes all of `bytes` at `place`, bytes from the start; `path` is for the message.
  func write(_ bytes: UnsafeRawBufferPointer, at place: Int, to file: Int32, path: String)
    throws(FileSystemError)
  func synchronize(_ file: Int32, path: String) throws(FileSystemError)
  func close(_ file: Int32)
  func rename(_ path: String, to newPath: String) throws(FileSystemError)
  func remove(_ path: String) throws(FileSystemError)
}

extension FileSystem {
  /// Puts `bytes` at `path` durably, as the other `replace` does.
  package func replace(_ path: String, with bytes: [UInt8]) throws(FileSystemError) {
    try replace(path) { (write) throws(FileSystemError) in
      try bytes.withUnsafeBufferPointer { (all) throws(FileSystemError) in
        try write(UnsafeRawBufferPointer(all), 0)
      }
    }
  }

  /// Puts at `path` durably what `contents` hands to its argument, pieces of the file with their
  /// places: after return the file is whole whatever happens, after an error or a crash it is as it
  /// was before.
  package func replace(
    _ path: String,
    contents: ((UnsafeRawBufferPointer, Int) throws(FileSystemError) -> Void)
      throws(FileSystemError) -> Void
  ) throws(FileSystemError) {
    // The name is drawn anew each time: a rank that has lost its lease may still be writing.
    let temporary = "\(path).\(String(UInt64.random(in: 0...UInt64.max), radix: 16)).partial"
    let directory = (path as NSString).deletingLastPathComponent
    do throws(FileSystemError) {
      let file = try create(temporary)
      defer { close(file) }
      try contents { (bytes, place) throws(FileSystemError) in
        try write(bytes, at: place, to: file, path: temporary)
      }
      try synchronize(file, path: temporary)
      try rename(temporary, to: path)
    } catch {
      try? remove(temporary)
      throw error
    }
    try synchronizeDirectory(directory)
  }

  /// Makes durable which names stand in a directory.
  package func synchronizeDirectory(_ path: String) throws(FileSystemError) {
    let folder = try openDirectory(path)
    defer { close(folder) }
    try synchronize(folder, path: path)
  }
}

/// The file system of this machine.
package struct DiskFileSystem: FileSystem {
  /// What the disk is told to write at once.
  private static let bytesAtOnce = 4 << 20

  package init() {}

  package func createDirectory(_ path: String) throws(FileSystemError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw FileSystemError(
        operation: "mkdir", path: path, reason: error.localizedDescription)
    }
  }

  package func names(in directory: String) throws(FileSystemError) -> [String] {
    guard let stream = opendir(directory) else {
      if errno == ENOENT { return [] }
      throw failure("opendir", directory)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  package func read(_ path: String) throws(FileSystemError) -> [UInt8] {
    let file = Foundation.open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure("open", path) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure("stat", path) }
    var problem: FileSystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
      while count < buffer.count {
        let read = Foundation.read(file, buffer.baseAddress! + count, buffer.count - count)
        if read < 0 && errno == EINTR { continue }
        if read < 0 { problem = failure("read", path) }
        if read <= 0 { break }
        count += read
      }
    }
    if let problem { throw problem }
    return bytes
  }

  package func create(_ path: String) throws(FileSystemError) -> Int32 {
    let file = Foundation.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure("open", path) }
    return file
  }

  package func openDirectory(_ path: String) throws(FileSystemError) -> Int32 {
    let file = Foundation.open(path.isEmpty ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { throw failure("open", path) }
    return file
  }

  package func write(
    _ bytes: UnsafeRawBufferPointer, at place: Int, to file: Int32, path: String
  ) throws(FileSystemError) {
    var rest = bytes[...]
    while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
      let written = pwrite(file, base, rest.count, off_t(place + rest.startIndex))
      if written < 0 && errno == EINTR { continue }
      guard written >= 0 else { throw failure("write", path) }
      rest = rest.dropFirst(written)
    }
    // So the disk is at work while the next pieces are made, and `fsync` has less to wait for. Every
    // start costs as much as making a few dozen kilobytes.
    let started = place / Self.bytesAtOnce
    let blocks = (place + bytes.count) / Self.bytesAtOnce - started
    if blocks > 0 {
      ms_start_writing(
        file, Int64(started * Self.bytesAtOnce), Int64(blocks * Self.bytesAtOnce))
    }
  }

  package func synchronize(_ file: Int32, path: String) throws(FileSystemError) {
    guard fsync(file) == 0 else { throw failure("fsync", path) }
  }

  package func close(_ file: Int32) {
    _ = Foundation.close(file)
  }

  package func rename(_ path: String, to newPath: String) throws(FileSystemError) {
    guard Foundation.rename(path, newPath) == 0 else { throw failure("rename", newPath) }
  }

  package func remove(_ path: String) throws(FileSystemError) {
    guard unlink(path) == 0 else { throw failure("unlink", path) }
  }

  private func failure(_ operation: String, _ path: String) -> FileSystemError {
    FileSystemError(operation: operation, path: path, reason: String(cString: strerror(errno)))
  }
}
