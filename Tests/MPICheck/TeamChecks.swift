import Foundation
import MPI
import MemoryNets
import Sweeps

/// Teams of all ranks: sums, small messages, and ranks that are lost.
enum TeamChecks {
  /// Reads `--block RANKS`, `--reduction NAME` and `--gradients NAME`.
  private static func options(_ arguments: [String]) -> TeamOptions {
    var options = TeamOptions()
    options.silenceSeconds = 10
    for (name, value) in zip(arguments, arguments.dropFirst()) {
      switch name {
      case "--block": options.blockLimit = Int(value) ?? 1
      case "--reduction": options.reduction = .init(rawValue: value) ?? .reproducible
      case "--gradients": options.gradients = .init(rawValue: value) ?? .exact
      default: break
      }
    }
    return options
  }

  /// The same shards of a batch over any number of ranks: sums of whole and of scattered ranges, and
  /// what ranks tell each other.
  static func sums(
    _ world: borrowing Communicator, _ arguments: [String]
  ) throws -> SessionEnd {
    let count = 10_007
    let interconnect = try Interconnect(world, TeamBytes(gradients: 1 << 20))
    var sums: [UInt64] = []
    for (serial, precision) in [Precision.float, .double].enumerated() {
      let team = try TrialTeam(
        Array(0..<world.size), serial: UInt32(serial + 1), over: interconnect,
        options: options(arguments))
      let room = try team.gradientRoom(byteCount: count * precision.size)
      for ranges in [[0..<count], [3..<4, 17..<900, 901..<901, 2000..<9999]] {
        fill(room, count, precision, rank: world.rank, of: world.size)
        try team.sum(ranges, of: room, precision: precision)
        sums += try digests(room, ranges, precision, team)
      }
      let numbers = (0..<1500).map { Double(1000 * world.rank + $0) }
      let told = try team.gather(numbers)
      let isRight = told.indices.allSatisfy { rank in
        told[rank] == (0..<1500).map { Double(1000 * rank + $0) }
      }
      if !isRight { print("rank \(world.rank) was told \(told.map(\.count))") }
    }
    if world.rank == 0 { print("sums: \(sums)") }
    return SessionEnd(status: 0)
  }

  /// The sum of a rank's shards, of 8 in all, whose numbers depend on the order in which they are summed.
  private static func fill(
    _ room: UnsafeMutableRawPointer, _ count: Int, _ precision: Precision, rank: Int, of size: Int
  ) {
    let own = 8 / size
    let key = PhiloxKey(7)
    let shards = (0..<own).map { shard in
      var stream = PhiloxStream(key: key, stream: UInt64(rank * own + shard))
      let numbers = UnsafeMutableRawPointer.allocate(
        byteCount: count * precision.size, alignment: 64)
      for i in 0..<count {
        let number = (stream.uniform() - 0.5) * Double(1 + i % 1000)
        if precision == .float {
          numbers.storeBytes(of: Float(number), toByteOffset: 4 * i, as: Float.self)
        } else {
          numbers.storeBytes(of: number, toByteOffset: 8 * i, as: Double.self)
        }
      }
      return UnsafeMutableRawPointer?(numbers)
    }
    Kernels(.best, precision).sumTree(shards, sourceCount: own, into: room, count: count)
    for shard in shards { shard?.deallocate() }
  }

  /// A hash of the sums if all ranks have the same, else nothing.
  private static func digests(
    _ room: UnsafeMutableRawPointer, _ ranges: [Range<Int>], _ precision: Precision,
    _ team: TrialTeam
  ) throws -> [UInt64] {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for range in ranges {
      for i in range.lowerBound * precision.size..<range.upperBound * precision.size {
        hash = (hash ^ UInt64(room.load(fromByteOffset: i, as: UInt8.self))) &* 0x100_0000_01b3
      }
    }
    let halves = [Double(hash >> 32), Double(hash & 0xffff_ffff)]
    return try team.gather(halves).allSatisfy { $0 == halves } ? [hash] : []
  }

  /// The last rank dies between two sums; the others say whom they missed and form a team without it.
  static func loss(
    _ world: borrowing Communicator, _ arguments: [String]
  ) throws -> SessionEnd {
    let interconnect = try Interconnect(world, TeamBytes(gradients: 1 << 16))
    var options = options(arguments)
    options.silenceSeconds = 0.3
    var said = ""
    do throws(TeamError) {
      let team = try TrialTeam(
        Array(0..<world.size), serial: 1, over: interconnect, options: options)
      let room = try team.gradientRoom(byteCount: 4096)
      for sum in 0..<10 {
        if sum == 4, world.rank == world.size - 1 { kill(getpid(), SIGKILL) }
        try team.sum([0..<1024], of: room, precision: .float)
      }
    } catch {
      said = error.description
    }
    options.silenceSeconds = 10
    let rest = Array(0..<world.size / 2)
    if rest.contains(world.rank) {
      let team = try TrialTeam(rest, serial: 2, over: interconnect, options: options)
      let room = try team.gradientRoom(byteCount: 4)
      room.storeBytes(of: Float(world.rank + 1), as: Float.self)
      try team.sum([0..<1], of: room, precision: .float)
      if world.rank == 0 {
        print("said: \(said)")
        print("sum of the rest: \(room.load(as: Float.self))")
      }
    }
    return SessionEnd(status: 0, isTogether: false)
  }
}
