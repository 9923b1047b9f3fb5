import Foundation
import MemoryNets

/// A team whose ranks are threads of this process.
final class ThreadTeam: TrainingTeam {
  let rank: Int
  let size: Int
  private let meeting: Meeting
  /// Whether a rank works in memory of the others, beside reading their gradients.
  private let sharesWork: Bool
  /// Of this rank: gradients, and behind them what it shares.
  private var room: UnsafeMutableRawPointer?
  private var roomCount = 0

  /// Where the ranks meet.
  final class Meeting: @unchecked Sendable {
    private let condition = NSCondition()
    private var arrived = 0
    private var round = 0
    private var brought: [Any?]
    let size: Int
    let counter = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)

    init(size: Int) {
      self.size = size
      brought = Array(repeating: nil, count: size)
    }

    deinit { counter.deallocate() }

    /// Waits until every rank has come here.
    func meet() {
      condition.lock()
      defer { condition.unlock() }
      let now = round
      arrived += 1
      if arrived == size {
        arrived = 0
        round += 1
        condition.broadcast()
      }
      while round == now { condition.wait() }
    }

    /// What each rank brings, when every rank has come here.
    ///
    /// Written and read under the lock: Swift copies an array that another thread still holds, so
    /// two ranks must not store into it at the same time.
    func exchange<Element>(_ own: Element, of rank: Int) -> [Element] {
      condition.withLock { brought[rank] = own }
      meet()
      let all = condition.withLock { brought.compactMap { $0 as? Element } }
      meet()
      return all
    }
  }

  init(rank: Int, meeting: Meeting, sharesWork: Bool) {
    self.rank = rank
    self.meeting = meeting
    self.sharesWork = sharesWork
    size = meeting.size
  }

  deinit { room?.deallocate() }

  /// What `body` gives on each of `size` ranks.
  static func run<Result: Sendable>(
    _ size: Int, sharesWork: Bool = true, _ body: @escaping @Sendable (ThreadTeam) throws -> Result
  ) throws -> [Result] {
    let meeting = Meeting(size: size)
    let results = Results<Result>(size)
    let done = DispatchSemaphore(value: 0)
    for rank in 0..<size {
      Thread.detachNewThread {
        results.set(
          rank,
          .init {
            try body(
              ThreadTeam(rank: rank, meeting: meeting, sharesWork: sharesWork))
          })
        done.signal()
      }
    }
    for _ in 0..<size { done.wait() }
    return try results.all.map { try $0.get() }
  }

  private final class Results<Element: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var results: [Result<Element, any Error>?]

    init(_ count: Int) { results = Array(repeating: nil, count: count) }

    func set(_ i: Int, _ result: Result<Element, any Error>) {
      lock.withLock { results[i] = result }
    }

    var all: [Result<Element, any Error>] { lock.withLock { results.compactMap(\.self) } }
  }

  private static let sharedBytes = 1 << 24

  func gradientRoom(byteCount: Int) -> UnsafeMutableRawPointer {
    roomCount = (byteCount + 63) / 64 * 64
    let new = UnsafeMutableRawPointer.allocate(
      byteCount: roomCount + Self.sharedBytes, alignment: 64)
    new.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    room = new
    return new
  }

  func sharedRoom(byteCount: Int) -> SharedRoom? {
    guard sharesWork, byteCount <= Self.sharedBytes, let room else { return nil }
    let base = room + roomCount
    base.initializeMemory(as: UInt8.self, repeating: 0, count: min(byteCount, 4096))
    return SharedRoom(
      base: base, distances: meeting.exchange(base, of: rank).map { $0 - base },
      counter: meeting.counter, serial: 3)
  }

  func meet() { meeting.meet() }

  func sum(_ ranges: [Range<Int>], of gradients: UnsafeMutableRawPointer, precision: Precision) {
    let all = meeting.exchange(gradients, of: rank)
    if rank == 0 {
      for range in ranges {
        switch precision {
        case .float: sumTree(all.map { $0.assumingMemoryBound(to: Float.self) }, range)
        case .double: sumTree(all.map { $0.assumingMemoryBound(to: Double.self) }, range)
        }
      }
    }
    meeting.meet()
  }

  private func sumTree<Number: FloatingPoint>(
    _ all: [UnsafeMutablePointer<Number>], _ range: Range<Int>
  ) {
    for i in range {
      var sums = all.map { $0[i] }
      while sums.count > 1 {
        sums = stride(from: 0, to: sums.count, by: 2).map { sums[$0] + sums[$0 + 1] }
      }
      for gradients in all { gradients[i] = sums[0] }
    }
  }

  func gather(_ numbers: [Double]) -> [[Double]] {
    meeting.exchange(numbers, of: rank)
  }
}
