import MPI
import MemoryNets

/// Sums over ranks by messages: pairs swap halves of what they have, neighbours first, until each
/// has the sum of one part; then the parts come together the other way round.
///
/// The sums are those of a binary tree over the ranks, as a + b is b + a bit for bit. Each rank sends
/// and receives 2 (1 - 1/R) times the elements, in 2 log2 R rounds.
final class HalvingExchange {
  private let communicator: Communicator
  private let members: [Rank]
  private let tag: Int
  private let instructionSet: InstructionSet
  private var work = Storage()
  private var received = Storage()

  /// Memory that is given up to MPI rather than freed while a message may still come into it.
  private final class Storage {
    private(set) var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    var isAbandoned = false

    func reserve(_ count: Int) {
      guard bytes.count < count else { return }
      bytes.deallocate()
      bytes = .allocate(byteCount: count, alignment: 64)
    }

    deinit { if !isAbandoned { bytes.deallocate() } }
  }

  /// `tag` belongs to this team alone: nothing that was meant for another is taken for its.
  init(
    _ communicator: borrowing Communicator, members: [Rank], tag: Int,
    instructionSet: InstructionSet
  ) {
    self.communicator = communicator.alias()
    self.members = members
    self.tag = tag
    self.instructionSet = instructionSet
  }

  /// After a failure: what MPI may still write to stays.
  func abandon() {
    work.isAbandoned = true
    received.isAbandoned = true
  }

  /// Room for `byteCount` bytes of what is to be summed.
  func room(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    work.reserve(byteCount)
    received.reserve((byteCount + 1) / 2 + 8)
    return work.bytes.baseAddress
  }

  /// Replaces the `count` elements of `room` by their sums over `positions` of the team, of which
  /// this rank's is the `index`-th.
  func sum(
    _ count: Int, over positions: [Int], index: Int, precision: Precision, _ patience: Patience
  ) throws(TeamError) {
    guard let base = work.bytes.baseAddress, let other = received.bytes.baseAddress else { return }
    let size = precision.size
    let kernels = Kernels(instructionSet, precision)
    var own = 0..<count
    var steps: [(partner: Int, kept: Range<Int>, given: Range<Int>)] = []
    var distance = 1
    while distance < positions.count {
      let middle = own.lowerBound + own.count / 2
      let halves = (own.lowerBound..<middle, middle..<own.upperBound)
      let (kept, given) = index & distance == 0 ? halves : (halves.1, halves.0)
      let partner = positions[index ^ distance]
      try swap(
        sending: UnsafeRawBufferPointer(
          start: base + given.lowerBound * size, count: given.count * size),
        receiving: UnsafeMutableRawBufferPointer(start: other, count: kept.count * size),
        with: partner, patience)
      kernels.add(other, to: base + kept.lowerBound * size, count: kept.count)
      steps.append((partner, kept, given))
      own = kept
      distance *= 2
    }
    for (partner, kept, given) in steps.reversed() {
      try swap(
        sending: UnsafeRawBufferPointer(
          start: base + kept.lowerBound * size, count: kept.count * size),
        receiving: UnsafeMutableRawBufferPointer(
          start: base + given.lowerBound * size, count: given.count * size),
        with: partner, patience)
    }
  }

  /// What each rank of the team passed, by position.
  func gather(
    _ numbers: [Double], rank: Int, _ patience: Patience
  ) throws(TeamError) -> [[Double]] {
    let width = numbers.count
    let all = Storage()
    all.reserve(max(1, width * members.count * 8))
    guard let base = all.bytes.baseAddress?.assumingMemoryBound(to: Double.self) else { return [] }
    for (i, number) in numbers.enumerated() { base[rank * width + i] = number }
    do throws(TeamError) {
      var distance = 1
      while distance < members.count {
        let mine = rank & ~(distance - 1)
        let theirs = mine ^ distance
        try swap(
          sending: UnsafeRawBufferPointer(
            UnsafeBufferPointer(start: base + mine * width, count: distance * width)),
          receiving: UnsafeMutableRawBufferPointer(
            UnsafeMutableBufferPointer(start: base + theirs * width, count: distance * width)),
          with: rank ^ distance, patience)
        distance *= 2
      }
    } catch {
      all.isAbandoned = true
      throw error
    }
    return members.indices.map {
      Array(UnsafeBufferPointer(start: base + $0 * width, count: width))
    }
  }

  /// The most bytes of one message.
  private static let limit = 1 << 30

  private func swap(
    sending: UnsafeRawBufferPointer, receiving: UnsafeMutableRawBufferPointer, with partner: Int,
    _ patience: Patience
  ) throws(TeamError) {
    var start = 0
    repeat {
      let out = min(start, sending.count)..<min(start + Self.limit, sending.count)
      let into = min(start, receiving.count)..<min(start + Self.limit, receiving.count)
      var receive = try mpi { () throws(MPIError) in
        try communicator.startReceive(
          into: UnsafeMutableRawBufferPointer(rebasing: receiving[into]), from: members[partner],
          tag: tag)
      }
      var send = try mpi { () throws(MPIError) in
        try communicator.startSend(
          UnsafeRawBufferPointer(rebasing: sending[out]), to: members[partner], tag: tag)
      }
      try patience.wait(missing: { [partner] }) { () throws(TeamError) in
        try mpi { () throws(MPIError) in
          let hasCome = try receive.isComplete()
          return try send.isComplete() && hasCome
        }
      }
      start += Self.limit
    } while start < max(sending.count, receiving.count)
  }
}

/// What `body` returns; an error of MPI's is one of the team's.
func mpi<Result: ~Copyable>(_ body: () throws(MPIError) -> Result) throws(TeamError) -> Result {
  do throws(MPIError) {
    return try body()
  } catch {
    throw .failed(error.description)
  }
}
