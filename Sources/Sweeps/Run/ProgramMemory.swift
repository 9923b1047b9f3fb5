import Foundation

/// What the program takes on a node before any trial: each rank for itself, and what all of them
/// share.
package struct ProgramMemory: Hashable, Sendable {
  package var bytesOfRank: Int
  /// Code and constants, once for all ranks of a node.
  package var sharedBytes: Int

  /// What Open MPI 4.1 adds, by measurement of a small run of three ranks.
  private static let launchedBytes = 2_500_000
  private static let launchedSharedBytes = 8_000_000

  /// By what this process has now and what it would have besides under mpirun; nil where the
  /// system does not tell.
  package static func measured() -> ProgramMemory? {
    guard let text = try? String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8) else {
      return nil
    }
    return ProgramMemory(rollup: text)
  }

  /// By the kernel's summary of a process.
  package init?(rollup text: String) {
    func bytes(_ name: String) -> Int? {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
      return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }
    guard let resident = bytes("Rss"), let own = bytes("Anonymous"), own <= resident else {
      return nil
    }
    bytesOfRank = own + Self.launchedBytes
    sharedBytes = resident - own + Self.launchedSharedBytes
  }

  /// Of a node with `workers` ranks that train and one that coordinates.
  package func ofNode(workers: Int, worker bytes: Int) -> Int {
    workers * bytes + (workers + 1) * bytesOfRank + sharedBytes
  }
}
