import Foundation

/// Bytes that come one piece after the other.
protocol ByteStream: AnyObject {
  /// Overwrites the start of `buffer` by the next bytes; how many, and 0 at the end only.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ByteStreamError) -> Int
}

/// Why bytes cannot be read on.
package enum ByteStreamError: Error, Hashable {
  /// The system refuses; in its words.
  case unreadable(reason: String)
  /// They are not what they should be.
  case damaged(problem: String)

  /// What to say of the file at `path`.
  func error(of path: String, source: String) -> TaskError {
    switch self {
    case .unreadable(let reason): .unreadableFile(path: path, reason: reason)
    case .damaged(let problem): .damagedFile(path: path, problem: problem, source: source)
    }
  }
}

extension ByteStream {
  /// Fills `buffer` as far as there are bytes; how many.
  func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(ByteStreamError) -> Int {
    var count = 0
    while count < buffer.count {
      let more = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
      if more == 0 { break }
      count += more
    }
    return count
  }

  /// All bytes to the end.
  func all() throws(ByteStreamError) -> [UInt8] {
    var bytes: [UInt8] = []
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { piece.deallocate() }
    while true {
      let count = try read(into: piece)
      if count == 0 { return bytes }
      bytes += piece[..<count]
    }
  }
}

/// The bytes of an array.
final class ArrayBytes: ByteStream {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, bytes.count - position)
    buffer.copyBytes(from: bytes[position..<position + count])
    position += count
    return count
  }
}

/// The bytes of a file.
final class FileBytes: ByteStream {
  private let file: Int32

  init(path: String) throws(ByteStreamError) {
    file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw .unreadable(reason: String(cString: strerror(errno))) }
  }

  deinit { close(file) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ByteStreamError) -> Int {
    while true {
      let count = Foundation.read(file, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      guard errno == EINTR else { throw .unreadable(reason: String(cString: strerror(errno))) }
    }
  }
}

/// How bytes are packed.
package enum Compression {
  case gzip, zstandard

  /// What `packed` holds.
  func stream(_ packed: any ByteStream) -> any ByteStream {
    switch self {
    case .gzip: GzipStream(packed)
    case .zstandard: ZstandardStream(packed)
    }
  }

  /// What `packed` holds, all of it.
  package func unpacked(_ packed: [UInt8]) throws(ByteStreamError) -> [UInt8] {
    try stream(ArrayBytes(packed)).all()
  }
}
