import Foundation
import MPI

/// Each prints `name: value` lines on rank 0 that the test compares.
enum CommunicatorChecks {
  static func collectives(_ world: borrowing Communicator) throws -> SessionEnd {
    let n = world.size
    try world.barrier()
    var floats = [Float(world.rank + 1), 0.5, Float(n)]
    try floats.withUnsafeMutableBufferPointer { try world.allReduceSum($0) }
    var doubles = [Double(world.rank + 1), 0.25]
    try doubles.withUnsafeMutableBufferPointer { try world.allReduceSum($0) }
    // From the last rank, so that a root that is always 0 is found out.
    let sent = world.rank == n - 1 ? [UInt8](0..<UInt8(n + 2)) : []
    let broadcast = try world.broadcast(sent, from: n - 1)
    let gathered = try world.gatherToAll([UInt8](repeating: UInt8(world.rank), count: world.rank))
    let half = try world.split(color: world.rank % 2, key: -world.rank)
    let agreed = try world.gatherToAll(
      broadcast + gathered.flatMap { $0 } + floats.map { UInt8($0) })
    let places = try world.gatherToAll([UInt8(half.rank), UInt8(half.size)])
    if world.rank == 0 {
      print("floats: \(floats)")
      print("doubles: \(doubles)")
      print("broadcast: \(broadcast)")
      print("gathered: \(gathered)")
      print("split: \(places)")
      print("same on all ranks: \(Set(agreed).count == 1)")
    }
    return SessionEnd(status: 0)
  }

  /// Every rank sends to every other, small and large, without waiting; rank 0 adds up.
  static func messages(_ world: borrowing Communicator) throws -> SessionEnd {
    let sizes = [0, 1, 4096, 3_000_000]
    var sends: [PendingSend] = []
    for peer in 0..<world.size where peer != world.rank {
      for size in sizes {
        let bytes = [UInt8](repeating: UInt8(world.rank + 1), count: size)
        sends.append(try world.startSend(bytes, to: peer, tag: 1))
      }
    }
    var pending: [PendingReceive] = []
    var received: [[Int]] = Array(repeating: [], count: world.size)
    var areIntact = true
    let deadline = Date.now + 20
    while received.joined().count < sizes.count * (world.size - 1), Date.now < deadline {
      if let receive = try world.startReceive(tag: 1) { pending.append(receive) }
      for i in pending.indices.reversed() {
        guard let bytes = try pending[i].bytes() else { continue }
        let source = pending.remove(at: i).source
        received[source].append(bytes.count)
        areIntact = areIntact && bytes.allSatisfy { $0 == UInt8(source + 1) }
      }
    }
    let isComplete = received.indices.allSatisfy {
      $0 == world.rank || received[$0].sorted() == sizes
    }
    while try !sends.allSatisfy({ try $0.isComplete() }), Date.now < deadline { usleep(100) }
    let all = try world.gatherToAll([areIntact && isComplete ? 1 : 0])
    if world.rank == 0 { print("intact: \(all.joined().allSatisfy { $0 == 1 })") }

    // The blocking pair, around a ring.
    if world.size > 1 {
      let next = (world.rank + 1) % world.size
      let previous = (world.rank + world.size - 1) % world.size
      var token: [UInt8] = [0]
      if world.rank > 0 { token = try world.receive(from: previous) }
      try world.send([token[0] + 1], to: next)
      if world.rank == 0 { print("ring: \(try world.receive(from: previous)[0])") }
    } else {
      print("ring: 1")
    }
    return SessionEnd(status: 0)
  }

  /// All ranks but the last form a group without its help.
  static func subgroup(_ world: borrowing Communicator) throws -> SessionEnd {
    let members = Array((0..<max(1, world.size - 1)).reversed())
    if members.contains(world.rank) {
      let part = try world.subgroup(members, tag: 7)
      let ranks = try part.gatherToAll([UInt8(world.rank)])
      if world.rank == 0 { print("members: \(ranks.joined().map { Int($0) })") }
    }
    return SessionEnd(status: 0)
  }
}
