import Foundation

/// The events of a sweep in `DIR/events.jsonl`, one JSON object a line, oldest first.
///
/// For following a run from outside (`tail -f`); nothing is ever read back from it. A line that a
/// crash left half written is taken off when the file is opened again.
package final class EventLog {
  package static let name = "events.jsonl"

  package let path: String
  private let descriptor: CInt
  private var waiting: [UInt8] = []

  /// Opens the log of the output folder `directory`, which exists, for appending.
  package init(directory: String) throws(StoreError) {
    path = directory.hasSuffix("/") ? directory + Self.name : directory + "/" + Self.name
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.inaccessible(path) }
    guard Self.cutTornLine(descriptor) else {
      let error = Self.inaccessible(path)
      Foundation.close(descriptor)
      throw error
    }
  }

  deinit {
    try? flush()
    Foundation.close(descriptor)
  }

  /// Adds a line; it reaches the file with the next `flush`, at the latest after 64 KiB.
  package func append(_ event: SweepEvent) {
    waiting.append(contentsOf: Self.line(event).utf8)
    if waiting.count >= 1 << 16 { try? flush() }
  }

  /// Hands the lines to the operating system; it does not wait for the disk.
  package func flush() throws(StoreError) {
    while !waiting.isEmpty {
      let written = waiting.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 {
        if errno == EINTR { continue }
        throw Self.inaccessible(path)
      }
      waiting.removeFirst(written)
    }
  }

  /// The line of `event`, with its end; what the event does not have is left out.
  package static func line(_ event: SweepEvent) -> String {
    var members = [
      (key: "time", value: JSONText.number(event.time)),
      (key: "kind", value: JSONText.string(event.kind)),
    ]
    if let identity = event.identity {
      members.append(("trial", JSONText.string(identity.description)))
    }
    if let rank = event.rank { members.append(("rank", "\(rank)")) }
    if !event.detail.isEmpty { members.append(("detail", JSONText.string(event.detail))) }
    return JSONText.object(members) + "\n"
  }

  /// Shortens the file to the end of its last whole line.
  private static func cutTornLine(_ descriptor: CInt) -> Bool {
    let size = lseek(descriptor, 0, SEEK_END)
    guard size >= 0 else { return false }
    var end = size
    var chunk = [UInt8](repeating: 0, count: 4096)
    while end > 0 {
      let start = max(0, end - chunk.count)
      let count = pread(descriptor, &chunk, end - start, start)
      guard count == end - start else { return false }
      if let last = chunk[..<count].lastIndex(of: UInt8(ascii: "\n")) {
        end = start + last + 1
        break
      }
      end = start
    }
    return end == size || ftruncate(descriptor, end) == 0
  }

  private static func inaccessible(_ path: String) -> StoreError {
    errno == ENOSPC
      ? StoreError(
        .full, place: path, problem: "no room left on the disk",
        remedy: "free some space and start again; everything committed is kept")
      : StoreError(
        .inaccessible, place: path, problem: String(cString: strerror(errno)),
        remedy: "make the folder writable, or name another folder")
  }
}
