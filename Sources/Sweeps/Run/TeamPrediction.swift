import MemoryNets

/// How long an update is expected to take on teams of one node, from what one core measures.
///
/// Each rank trains its share of the batch, measured, and sums its share of the gradients over all
/// ranks, computed from the measured speed of sums and copies. What ranks wait for each other and
/// what they take of each other's memory bandwidth is not in it.
package struct TeamPrediction: Sendable {
  package struct Point: Sendable {
    package let ranks: Int
    /// Of an update.
    package let seconds: Double

    package init(ranks: Int, seconds: Double) {
      self.ranks = ranks
      self.seconds = seconds
    }
  }

  /// By rising number of ranks, from 1.
  package let points: [Point]

  package init(points: [Point]) { self.points = points }

  /// How many times as fast as on one rank; that of the most ranks looked at for more.
  package func speedUp(ranks: Int) -> Double {
    guard let one = points.first?.seconds,
      let point = points.last(where: { $0.ranks <= ranks }), point.seconds > 0
    else { return 1 }
    return one / point.seconds
  }

  /// The gain for which a doubling of the ranks pays.
  package static let worthwhile = 1.25

  /// The most ranks of which each doubling on the way makes an update at least 1.25 times as fast.
  package var payingRanks: Int {
    var most = 1
    for (less, more) in zip(points, points.dropFirst()) {
      guard less.seconds >= Self.worthwhile * more.seconds else { break }
      most = more.ranks
    }
    return most
  }

  /// The seconds that the sum of gradients of `bytes` bytes takes over `ranks` ranks of a node.
  static func sumSeconds(bytes: Int, ranks: Int, _ speed: Speed) -> Double {
    guard ranks > 1 else { return 0 }
    // A rank reads its share of every rank's gradients, and copies the other shares.
    let copied = Double(bytes) * Double(ranks - 1) / Double(ranks)
    return Double(bytes) * speed.secondsPerByteRead + copied * speed.secondsPerByteCopied
      + 5 * speed.secondsPerMeeting
  }

  /// What the parts of a sum take on this machine.
  struct Speed {
    var secondsPerByteRead: Double
    var secondsPerByteCopied: Double
    /// Between cores that all run.
    ///
    /// There are three in a sum, one for the losses and one to agree on what comes next.
    var secondsPerMeeting = 2e-6

    /// Measures sums and copies of as many bytes as there are gradients, up to 64 MB.
    static func measured(bytes: Int, instructionSet: InstructionSet) -> Speed {
      let count = max(64, min(bytes, 1 << 26)) / 4
      let kernels = Kernels(instructionSet, .float)
      let sources = (0..<2).map { _ in
        let floats = UnsafeMutablePointer<Float>.allocate(capacity: count)
        floats.initialize(repeating: 0, count: count)
        return UnsafeMutableRawPointer?(floats)
      }
      defer { for source in sources { source?.deallocate() } }
      guard let first = sources[0], let second = sources[1] else {
        return Speed(secondsPerByteRead: 0, secondsPerByteCopied: 0)
      }
      let sum = Timings(repetitions: 5) {
        kernels.sumTree(sources, sourceCount: 2, into: first, count: count)
      }
      let copy = Timings(repetitions: 5) {
        second.copyMemory(from: first, byteCount: 4 * count)
      }
      return Speed(
        secondsPerByteRead: sum.median / Double(8 * count),
        secondsPerByteCopied: copy.median / Double(4 * count))
    }
  }
}
