/// The ranks that train one model together, each on its share of the rows of every batch.
///
/// All of them hold the same weights and do the same updates; what differs is whose rows give the
/// gradient. Every call is collective: all ranks make the same calls in the same order.
package protocol TrainingTeam: AnyObject {
  /// The position of this rank, from 0.
  var rank: Int { get }
  /// The number of ranks, a power of two.
  var size: Int { get }

  /// Room of `byteCount` bytes for the gradients of this rank, all zero, at a multiple of 64; it is
  /// the team's and lasts as long as the team.
  ///
  /// Where ranks share memory it is there, so that the others read it without a copy.
  func gradientRoom(byteCount: Int) throws(TeamError) -> UnsafeMutableRawPointer

  /// Memory of `byteCount` bytes of this rank's that all ranks of the team see; it is the team's and
  /// lasts as long as the team. Nil where some of them do not share memory.
  func sharedRoom(byteCount: Int) throws(TeamError) -> SharedRoom?

  /// Waits until all ranks have come here as often; what they wrote before is there.
  func meet() throws(TeamError)

  /// Replaces the elements `ranges` of `gradients`, which came from `gradientRoom`, by their sums over
  /// the ranks; the ranges ascend, do not overlap and are the same on every rank.
  ///
  /// The sums are those of a binary tree over the ranks in order, neighbours first, where the
  /// reduction is reproducible.
  func sum(
    _ ranges: [Range<Int>], of gradients: UnsafeMutableRawPointer, precision: Precision
  ) throws(TeamError)

  /// What each rank passed, by rank; every rank passes as many numbers.
  func gather(_ numbers: [Double]) throws(TeamError) -> [[Double]]
}

extension TrainingTeam {
  package func sharedRoom(byteCount: Int) throws(TeamError) -> SharedRoom? { nil }
  package func meet() throws(TeamError) { _ = try gather([]) }
}

/// Why a team cannot go on.
package enum TeamError: Error, Hashable, CustomStringConvertible {
  /// The ranks, within the team, did not answer in time.
  case silent(ranks: [Int], seconds: Double)
  /// The weights of some ranks are not those of rank 0.
  case disagreement(ranks: [Int], step: Int)
  /// The library's own message.
  case failed(String)

  package var description: String {
    switch self {
    case .silent(let ranks, let seconds):
      "no answer from \(Self.text(ranks)) of the team for \(seconds) s"
    case .disagreement(let ranks, let step):
      "the weights of \(Self.text(ranks)) of the team differ from those of rank 0 after step \(step)"
    case .failed(let message): message
    }
  }

  private static func text(_ ranks: [Int]) -> String {
    (ranks.count == 1 ? "rank " : "ranks ") + ranks.map(String.init).joined(separator: ", ")
  }
}
