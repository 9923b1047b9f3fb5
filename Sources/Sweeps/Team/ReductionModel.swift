import Foundation

/// How long the reproducible sum of gradients takes on many ranks, computed from what few of them
/// measure.
///
/// With n bytes on each of R ranks in nodes of L, and A = R / L nodes:
///
///     within a node   n (L m / M) + 3 L w        m n bytes go through memory of M bytes a second
///     between nodes   2 (1 - 1/A) n / N + 2 log2(A) l
///
/// w is what a rank takes to see another's word, l the latency of a message, N the bytes a second that
/// a node sends. All ranks of a node send at the same time, each its share n / L.
package struct ReductionModel: Sendable {
  /// Ranks that share a node, a power of two.
  package var nodeRanks = 32
  /// M, in bytes a second.
  package var memoryBandwidth = 100e9
  /// N, in bytes a second.
  package var networkBandwidth = 12.5e9
  /// l, in seconds.
  package var latency = 2e-6
  /// w, in seconds.
  package var wordSeconds = 0.2e-6

  /// m: a share is read on every rank and written once; the other shares are read and written.
  private static let passes = 4.0

  package init() {}

  /// Of gradients of `bytes` bytes on each of `ranks` ranks, a power of two.
  package func seconds(bytes: Double, ranks: Int) -> Double {
    let local = min(nodeRanks, ranks)
    let nodes = ranks / local
    let within =
      local > 1
      ? bytes * Double(local) * Self.passes / memoryBandwidth + 3 * Double(local) * wordSeconds : 0
    guard nodes > 1 else { return within }
    let between =
      2 * (1 - 1 / Double(nodes)) * bytes / networkBandwidth + 2 * log2(Double(nodes)) * latency
    return within + between
  }
}
