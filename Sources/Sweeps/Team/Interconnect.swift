import MPI
import MemoryNets

/// What the ranks of a job reach each other by: messages, and memory where they share a node.
package final class Interconnect {
  /// The node of each rank, by its lowest rank; a rank without memory to share is a node of its own.
  package let nodes: [Int]
  let communicator: Communicator
  let window: SharedWindow?
  private var teams = 0

  /// Has room for gradients of `roomBytes` bytes on each rank, the most that any rank passes; 0 shares
  /// no memory.
  ///
  /// Collective over `world`, which must outlive it.
  package init(_ world: borrowing Communicator, roomBytes: Int) throws(MPIError) {
    communicator = world.alias()
    let bytes = try Self.integers(world, roomBytes).max() ?? 0
    window =
      bytes > 0
      ? try SharedWindow.allocate(world, byteCount: TeamMemory.roomOffset + bytes) : nil
    nodes = try Self.integers(world, window?.ranks.first ?? world.rank)
  }

  private static func integers(
    _ world: borrowing Communicator, _ own: Int
  ) throws(MPIError) -> [Int] {
    try world.gatherToAll(withUnsafeBytes(of: own) { Array($0) }).map { bytes in
      bytes.withUnsafeBytes { $0.loadUnaligned(as: Int.self) }
    }
  }

  /// Makes teams as trials want them.
  ///
  /// A rank that is silent for half as long again as the coordinator waits for it ends its team: the
  /// coordinator, which knows who lives, comes first.
  package func teamMaker(
    silenceSeconds: Double, instructionSet: InstructionSet
  ) -> TeamMaker {
    { members, serial, trial, meanwhile in
      var options = TeamOptions()
      options.reduction = trial.configuration.sharing.reduction
      options.gradients = trial.configuration.sharing.gradients
      options.silenceSeconds = 1.5 * silenceSeconds
      options.instructionSet = instructionSet
      return try TrialTeam(
        members, serial: serial, over: self, options: options, meanwhile: meanwhile)
    }
  }

  /// Counts the teams of this rank.
  func nextTeam() -> Int {
    teams += 1
    return teams
  }
}
