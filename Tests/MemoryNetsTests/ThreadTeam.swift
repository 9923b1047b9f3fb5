import Foundation
import MemoryNets

/// A team whose ranks are threads of this process.
final class ThreadTeam: TrainingTeam {
  let rank: Int
  let size: Int
  private let meeting: Meeting
  private var room: UnsafeMutableRawPointer?

  /// Where the ranks meet.
  final class Meeting: @unchecked Sendable {
    private let condition = NSCondition()
    private var arrived = 0
    private var round = 0
    let size: Int
    var numbers: [[Double]]
    var gradients: [UnsafeMutableRawPointer?]

    init(size: Int) {
      self.size = size
      numbers = Array(repeating: [], count: size)
      gradients = Array(repeating: nil, count: size)
    }

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
  }

  init(rank: Int, meeting: Meeting) {
    self.rank = rank
    self.meeting = meeting
    size = meeting.size
  }

  deinit { room?.deallocate() }

  /// What `body` gives on each of `size` ranks.
  static func run<Result: Sendable>(
    _ size: Int, _ body: @escaping @Sendable (ThreadTeam) throws -> Result
  ) throws -> [Result] {
    let meeting = Meeting(size: size)
    let results = Results<Result>(size)
    let done = DispatchSemaphore(value: 0)
    for rank in 0..<size {
      Thread.detachNewThread {
        results.set(rank, .init { try body(ThreadTeam(rank: rank, meeting: meeting)) })
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

  func gradientRoom(byteCount: Int) -> UnsafeMutableRawPointer {
    let new = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    new.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    room = new
    return new
  }

  func sum(_ ranges: [Range<Int>], of gradients: UnsafeMutableRawPointer, precision: Precision) {
    meeting.gradients[rank] = gradients
    meeting.meet()
    if rank == 0 {
      let all = meeting.gradients.compactMap(\.self)
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
    meeting.numbers[rank] = numbers
    meeting.meet()
    let all = meeting.numbers
    meeting.meet()
    return all
  }
}
