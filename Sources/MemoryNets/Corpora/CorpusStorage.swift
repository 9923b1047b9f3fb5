import Foundation

/// The bytes of a corpus: a file mapped read-only, whose pages all programs of a node share, or
/// memory of this program.
final class CorpusStorage {
  let bytes: UnsafeRawBufferPointer
  let isMapped: Bool

  /// Zeroed memory, which `write` fills.
  init(byteCount: Int) {
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: byteCount, alignment: CorpusHeader.pageSize)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    bytes = UnsafeRawBufferPointer(memory)
    isMapped = false
  }

  /// The file at `path`.
  init(mapping path: String) throws(TaskError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw errno == ENOENT
        ? .missingFile(path: path, source: Corpus.source)
        : .unreadableFile(path: path, reason: String(cString: strerror(errno)))
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadableFile(path: path, reason: "it is no file")
    }
    guard status.st_size > 0 else {
      throw .damagedFile(path: path, problem: "it is empty", source: Corpus.source)
    }
    let size = Int(status.st_size)
    let base = mmap(nil, size, PROT_READ, MAP_SHARED, file, 0)
    guard base != MAP_FAILED else {
      throw .unreadableFile(path: path, reason: String(cString: strerror(errno)))
    }
    bytes = UnsafeRawBufferPointer(start: base, count: size)
    isMapped = true
  }

  deinit {
    if isMapped {
      munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    } else {
      bytes.deallocate()
    }
  }

  /// Puts `source` at `place` of memory of this program.
  func write(_ source: UnsafeRawBufferPointer, at place: Int) {
    precondition(!isMapped && place + source.count <= bytes.count, "\(place) of \(bytes.count)")
    UnsafeMutableRawBufferPointer(mutating: UnsafeRawBufferPointer(rebasing: bytes[place...]))
      .copyMemory(from: source)
  }

  /// Lets the system take back the pages that were only looked at once.
  func forgetPages() {
    guard isMapped else { return }
    madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, MADV_DONTNEED)
  }
}
