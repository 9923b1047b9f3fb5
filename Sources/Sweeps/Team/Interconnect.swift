import MPI
import MemoryNets

/// What the ranks of a job reach each other by: messages, and memory where they share a node.
package final class Interconnect {
  /// The node of each rank, by its lowest rank; a rank without memory to share is a node of its own.
  package let nodes: [Int]
  let communicator: Communicator
  let window: SharedWindow?
  private var teams = 0

  /// Has room on each rank for the most `bytes` that any rank passes, or for gradients alone where
  /// there is no more; without gradients it shares no memory.
  ///
  /// Collective over `world`, which must outlive it.
  package init(_ world: borrowing Communicator, _ bytes: TeamBytes) throws(MPIError) {
    communicator = world.alias()
    let gradients = ((try Self.integers(world, bytes.gradients).max() ?? 0) + 63) / 64 * 64
    let work = try Self.integers(world, bytes.work).max() ?? 0
    window =
      gradients > 0
      ? try SharedWindow.allocate(
        world,
        byteCounts: [gradients + work, gradients].map { TeamMemory.roomOffset + $0 }) : nil
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
