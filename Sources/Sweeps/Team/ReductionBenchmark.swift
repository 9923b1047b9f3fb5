import CXXHash
import MPI
import MemoryNets

/// Times sums of gradients over ranks, by a team and by MPI itself.
package final class ReductionBenchmark {
  /// One way to sum.
  package struct Line: Sendable {
    /// `reproducible`, `fast` or `MPI_Allreduce`.
    package let name: String
    /// Of the slowest rank, ascending.
    package let seconds: [Double]
    /// XXH3 (64 bits) of the sums.
    package let hash: UInt64
    /// Whether all ranks have the same bits.
    package let agrees: Bool

    package var median: Double { seconds[seconds.count / 2] }
  }

  private let world: Communicator
  private let interconnect: Interconnect
  private let floats: Int
  private let options: TeamOptions
  private let repetitions: Int
  private let clock = RunClock()
  /// The gradients of this rank: the same for a share of the batch whatever the number of ranks.
  private let gradients: UnsafeMutablePointer<Float>
  private var teams: UInt32 = 0

  /// Shards of the batch, the sums of which are what ranks begin with.
  private static let shards = 8

  /// Collective over `world`, whose size is a power of two.
  package init(
    _ world: borrowing Communicator, floats: Int, repetitions: Int,
    options: TeamOptions = TeamOptions()
  ) throws(MPIError) {
    self.world = world.alias()
    self.floats = floats
    self.repetitions = repetitions
    self.options = options
    interconnect = try Interconnect(world, TeamBytes(gradients: 4 * floats + 64))
    gradients = .allocate(capacity: floats)
    fillGradients()
  }

  deinit { gradients.deallocate() }

  private func fillGradients() {
    let own = max(1, Self.shards / world.size)
    let key = PhiloxKey(20_261_121)
    let shards = (0..<own).map { shard in
      let numbers = UnsafeMutablePointer<Float>.allocate(capacity: floats)
      var stream = PhiloxStream(key: key, stream: UInt64(world.rank * own + shard))
      for i in 0..<floats { numbers[i] = Float(stream.uniform() - 0.5) }
      return UnsafeMutableRawPointer?(numbers)
    }
    Kernels(options.instructionSet, .float).sumTree(
      shards, sourceCount: own, into: gradients, count: floats)
    for shard in shards { shard?.deallocate() }
  }

  /// Times a team that sums as the options say; collective.
  package func measure(_ reduction: DataParallelSettings.Reduction) throws(TeamError) -> Line {
    var options = options
    options.reduction = reduction
    let team = try makeTeam(options)
    let room = try team.gradientRoom(byteCount: 4 * floats)
    return try measure(reduction.rawValue, in: room, team) { () throws(TeamError) in
      try team.sum([0..<self.floats], of: room, precision: .float)
    }
  }

  /// Times MPI_Allreduce in place, which waits for ever; collective.
  package func measureMPI() throws(TeamError) -> Line {
    let team = try makeTeam(options)
    let room = UnsafeMutableBufferPointer<Float>.allocate(capacity: floats)
    defer { room.deallocate() }
    guard let start = room.baseAddress else { throw .failed("no room") }
    return try measure("MPI_Allreduce", in: start, team) { () throws(TeamError) in
      try mpi { () throws(MPIError) in try self.world.allReduceSum(room) }
    }
  }

  /// The seconds of a gather of two numbers, as there is one at each step; collective.
  package func gatherSeconds() throws(TeamError) -> Double {
    let team = try makeTeam(options)
    let rounds = 20
    var seconds: [Double] = []
    for _ in 0..<20 {
      let start = clock.now
      for _ in 0..<rounds { _ = try team.gather([1, 2]) }
      seconds.append((clock.now - start) / Double(rounds))
    }
    return seconds.sorted()[seconds.count / 2]
  }

  private func makeTeam(_ options: TeamOptions) throws(TeamError) -> TrialTeam {
    teams += 1
    return try TrialTeam(
      Array(0..<world.size), serial: teams, over: interconnect, options: options)
  }

  private func measure(
    _ name: String, in room: UnsafeMutableRawPointer, _ team: TrialTeam,
    _ sum: () throws(TeamError) -> Void
  ) throws(TeamError) -> Line {
    var seconds: [Double] = []
    for repetition in -3..<repetitions {
      room.copyMemory(from: gradients, byteCount: 4 * floats)
      _ = try team.gather([0])
      let start = clock.now
      try sum()
      let own = clock.now - start
      let slowest = try team.gather([own]).map { $0[0] }.max() ?? own
      if repetition >= 0 { seconds.append(slowest) }
    }
    let hash = XXH3_64bits(room, 4 * floats)
    let halves = [Double(hash >> 32), Double(hash & 0xffff_ffff)]
    let all = try team.gather(halves)
    return Line(
      name: name, seconds: seconds.sorted(), hash: hash, agrees: all.allSatisfy { $0 == halves })
  }
}
