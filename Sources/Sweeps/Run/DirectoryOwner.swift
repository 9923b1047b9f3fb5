import Foundation

/// The run that owns an output directory, as its lock file says.
package struct DirectoryOwner: Hashable, Sendable, CustomStringConvertible {
  package var host: String
  package var processIdentifier: Int32
  /// Seconds since 1970, as is `heartbeat`.
  package var startedAt: Double
  /// When the owner last said that it lives.
  package var heartbeat: Double

  package init(host: String, processIdentifier: Int32, startedAt: Double, heartbeat: Double) {
    self.host = host
    self.processIdentifier = processIdentifier
    self.startedAt = startedAt
    self.heartbeat = heartbeat
  }

  package var description: String {
    let date = Date(timeIntervalSince1970: startedAt).formatted(.iso8601)
    return "process \(processIdentifier) on \(host), running since \(date)"
  }

  /// One line a value, padded to a constant length so that a rewrite in place leaves nothing behind.
  var record: String {
    let lines =
      "host \(host)\npid \(processIdentifier)\nstarted \(startedAt)\nheartbeat \(heartbeat)\n"
    return lines.padding(toLength: max(512, lines.count), withPad: "\n", startingAt: 0)
  }

  /// Nil unless every value is there.
  init?(record: String) {
    var values: [Substring: Substring] = [:]
    for line in record.split(separator: "\n") {
      guard let space = line.firstIndex(of: " ") else { continue }
      values[line[..<space]] = line[line.index(after: space)...]
    }
    guard let host = values["host"], let pid = values["pid"].flatMap({ Int32($0) }),
      let started = values["started"].flatMap({ Double($0) }),
      let heartbeat = values["heartbeat"].flatMap({ Double($0) })
    else { return nil }
    self.init(
      host: String(host), processIdentifier: pid, startedAt: started, heartbeat: heartbeat)
  }
}
