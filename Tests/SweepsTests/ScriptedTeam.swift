import MemoryNets

/// Two ranks, of which the test is one and says what the other tells.
final class ScriptedTeam: TrainingTeam {
  let rank: Int
  let size = 2
  private let other: (_ call: Int) throws(TeamError) -> Double
  private var calls = 0

  init(rank: Int, other: @escaping (_ call: Int) throws(TeamError) -> Double) {
    self.rank = rank
    self.other = other
  }

  func gradientRoom(byteCount: Int) throws(TeamError) -> UnsafeMutableRawPointer {
    throw .failed("no room")
  }

  func sum(
    _ ranges: [Range<Int>], of gradients: UnsafeMutableRawPointer, precision: Precision
  ) throws(TeamError) {}

  func gather(_ numbers: [Double]) throws(TeamError) -> [[Double]] {
    calls += 1
    // Of its two numbers in an agreement the second is the steps to the next.
    let told = [try other(calls)] + numbers.dropFirst().map { _ in 1 }
    return rank == 0 ? [numbers, told] : [told, numbers]
  }
}
