import Foundation
import MemoryNets

/// A disk on which one operation fails, and every removal after it: the machine went down.
final class FaultyFileSystem: FileSystem, @unchecked Sendable {
  private let disk = DiskFileSystem()
  /// The number of the operation that fails, from 0; nil for none.
  private let failing: Int?
  private(set) var operations: [String] = []
  private(set) var hasFailed = false

  init(failing: Int?) { self.failing = failing }

  private func count(_ operation: String, _ path: String) throws(FileSystemError) {
    operations.append(operation)
    guard operations.count - 1 == failing || (hasFailed && operation == "unlink") else { return }
    hasFailed = true
    throw FileSystemError(operation: operation, path: path, reason: "Input/output error")
  }

  func createDirectory(_ path: String) throws(FileSystemError) {
    try count("mkdir", path)
    try disk.createDirectory(path)
  }

  func names(in directory: String) throws(FileSystemError) -> [String] {
    try count("opendir", directory)
    return try disk.names(in: directory)
  }

  func read(_ path: String) throws(FileSystemError) -> [UInt8] {
    try count("read", path)
    return try disk.read(path)
  }

  func create(_ path: String) throws(FileSystemError) -> Int32 {
    try count("create", path)
    return try disk.create(path)
  }

  func openDirectory(_ path: String) throws(FileSystemError) -> Int32 {
    try count("open", path)
    return try disk.openDirectory(path)
  }

  func write(
    _ bytes: UnsafeRawBufferPointer, at place: Int, to file: Int32, path: String
  ) throws(FileSystemError) {
    do throws(FileSystemError) {
      try count("write", path)
    } catch {
      // Half of it arrives.
      let half = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)])
      try disk.write(half, at: place, to: file, path: path)
      throw error
    }
    try disk.write(bytes, at: place, to: file, path: path)
  }

  func synchronize(_ file: Int32, path: String) throws(FileSystemError) {
    try count("fsync", path)
    try disk.synchronize(file, path: path)
  }

  func close(_ file: Int32) { disk.close(file) }

  func rename(_ path: String, to newPath: String) throws(FileSystemError) {
    try count("rename", newPath)
    try disk.rename(path, to: newPath)
  }

  func remove(_ path: String) throws(FileSystemError) {
    try count("unlink", path)
    try disk.remove(path)
  }
}

/// A folder for one test, gone when it goes.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/memsweep-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
