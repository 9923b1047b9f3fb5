import Foundation
import MPI
import MemoryNets

/// How the gradients of a team are summed.
package struct TeamOptions: Sendable {
  package var reduction = DataParallelSettings.Reduction.reproducible
  /// Halves what travels where the reduction is `fast`.
  package var gradients = DataParallelSettings.Gradients.exact
  /// A rank that keeps the others waiting for so long is silent.
  package var silenceSeconds = 30.0
  package var instructionSet = InstructionSet.best
  /// Ranks that share memory at most; 1 has all of them send messages, as between nodes.
  package var blockLimit = Int.max

  package init() {}
}

/// Some ranks of a job that train one trial together.
///
/// Reproducible sums go through shared memory within a node: each rank sums its share of the elements
/// of all ranks, then each copies the shares of the others. Between nodes ranks of one place exchange
/// halves of their share until each has the sum of a part, and then the parts.
package final class TrialTeam: TrainingTeam {
  package let rank: Int
  package let size: Int
  package let options: TeamOptions
  /// Called now and then while this rank waits for the others; false calls the team off.
  package var meanwhile: () -> Bool {
    get { patience.meanwhile }
    set { patience.meanwhile = newValue }
  }

  /// Of the sums; where the gradients do not fit into the shared memory they go by messages.
  private(set) var layout: TeamLayout
  private(set) var patience: Patience
  var memory: TeamMemory?
  /// Whether all ranks are one block.
  private let isOneBlock: Bool
  let exchange: HalvingExchange
  let interconnect: Interconnect
  let members: [Rank]
  /// MPI's own collectives need a communicator of their own.
  let fast: FastReduction?
  /// Where the next room begins in this rank's part of the shared memory.
  private var nextRoom = TeamMemory.roomOffset
  private var ownRooms: [UnsafeMutableRawPointer] = []
  private var isBroken = false
  /// One pointer for each rank of the block, to the elements that are being summed.
  let sources: UnsafeMutablePointer<UnsafeMutableRawPointer?>

  /// Brings the ranks together; `members` are ranks of the job in the order of the team, a power of
  /// two, this rank among them.
  ///
  /// Collective over `members`, which pass the same. `serial` grows from team to team. Throws
  /// `silent` if some do not come in time.
  package init(
    _ members: [Rank], serial: UInt32, over interconnect: Interconnect,
    options: TeamOptions = TeamOptions(), meanwhile: @escaping () -> Bool = { true }
  ) throws(TeamError) {
    guard let rank = members.firstIndex(of: interconnect.communicator.rank) else {
      preconditionFailure("rank \(interconnect.communicator.rank) is not one of \(members)")
    }
    precondition(members.count.nonzeroBitCount == 1, "\(members.count) ranks")
    self.rank = rank
    self.size = members.count
    self.members = members
    self.options = options
    self.interconnect = interconnect
    // One of the ranks may be the coordinator, which next to never runs.
    let neighbours = (interconnect.window?.ranks.count ?? members.count) - 1
    patience = Patience(
      seconds: options.silenceSeconds,
      isCrowded: neighbours > ProcessInfo.processInfo.processorCount)
    patience.meanwhile = meanwhile
    layout = TeamLayout(
      nodes: members.map { interconnect.nodes[$0] }, position: rank, limit: options.blockLimit)
    let parts = layout.block.compactMap { interconnect.window?.part(of: members[$0]) }
    if layout.blockSize > 1, parts.count == layout.blockSize {
      memory = TeamMemory(
        parts: parts, index: rank - layout.block.lowerBound, first: layout.block.lowerBound,
        serial: serial, formed: interconnect.nextTeam())
    }
    isOneBlock = memory != nil && layout.blockSize == size
    exchange = HalvingExchange(
      interconnect.communicator, members: members, tag: 2 + Int(serial & 0x0fff_ffff),
      instructionSet: options.instructionSet)
    sources = .allocate(capacity: layout.blockSize)
    fast = options.reduction == .fast ? FastReduction(options.gradients) : nil
    do throws(TeamError) {
      _ = try gather([Double(serial)])
      // All are alive: what must wait for all of them can begin.
      try fast?.form(members, serial: serial, over: interconnect.communicator)
    } catch {
      breakUp()
      throw error
    }
  }

  deinit {
    sources.deallocate()
    memory?.leave()
    for room in ownRooms { room.deallocate() }
  }

  // MARK: - Rooms

  package func gradientRoom(byteCount: Int) throws(TeamError) -> UnsafeMutableRawPointer {
    let room: UnsafeMutableRawPointer
    if let memory, let window = interconnect.window, layout.blockSize > 1,
      nextRoom + byteCount <= window.byteCount
    {
      room = memory.parts[memory.index] + nextRoom
      nextRoom += (byteCount + 63) / 64 * 64
    } else {
      layout = TeamLayout(nodes: Array(0..<size), position: rank)
      room = .allocate(byteCount: max(byteCount, 1), alignment: 64)
      ownRooms.append(room)
    }
    room.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    return room
  }

  package func sharedRoom(byteCount: Int) throws(TeamError) -> SharedRoom? {
    guard isOneBlock, layout.blockSize == size, fast == nil, let memory,
      let window = interconnect.window, nextRoom + byteCount <= window.byteCount
    else { return nil }
    let own = memory.parts[memory.index]
    let base = own + nextRoom
    nextRoom += (byteCount + 63) / 64 * 64
    base.initializeMemory(as: UInt8.self, repeating: 0, count: min(byteCount, 4096))
    return SharedRoom(
      base: base, distances: memory.parts.map { $0 - own }, counter: memory.counter,
      serial: memory.serial)
  }

  // MARK: - Small messages

  package func gather(_ numbers: [Double]) throws(TeamError) -> [[Double]] {
    guard size > 1 else { return [numbers] }
    guard isOneBlock else {
      return try orBreakUp { () throws(TeamError) in
        try exchange.gather(numbers, rank: rank, patience)
      }
    }
    var all = [[Double]](repeating: [], count: size)
    var start = 0
    repeat {
      let part = numbers[start..<min(start + TeamMemory.messageCount, numbers.count)]
      try orBreakUp { () throws(TeamError) in
        memory?.say(part)
        try memory?.meet(patience)
        for other in 0..<size {
          try memory?.read(other) {
            all[other].append(contentsOf: UnsafeBufferPointer(start: $0, count: part.count))
          }
        }
      }
      start += part.count
    } while start < numbers.count
    return all
  }

  /// After an error nothing goes on: ranks may have come to different points.
  func orBreakUp<Result>(_ body: () throws(TeamError) -> Result) throws(TeamError) -> Result {
    precondition(!isBroken, "the team has broken up")
    do throws(TeamError) {
      return try body()
    } catch {
      breakUp()
      throw error
    }
  }

  /// Tells the others and leaves to MPI what it may still be working on.
  private func breakUp() {
    isBroken = true
    memory?.leave()
    exchange.abandon()
    fast?.abandon()
  }
}
