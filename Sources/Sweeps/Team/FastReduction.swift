import MPI
import MemoryNets

/// MPI's own sums over the ranks of a team, in an order that depends on their number.
final class FastReduction {
  private let gradients: DataParallelSettings.Gradients
  private var communicator: Communicator?
  private var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var pending: [PendingOperation] = []
  private var isAbandoned = false

  /// The elements that one call sums: several are under way at a time.
  private static let bucket = 1 << 20

  init(_ gradients: DataParallelSettings.Gradients) { self.gradients = gradients }

  deinit { if !isAbandoned { bytes.deallocate() } }

  /// Collective over `members`, which must be alive.
  func form(
    _ members: [Rank], serial: UInt32, over world: borrowing Communicator
  ) throws(TeamError) {
    communicator = try mpi { () throws(MPIError) in
      try world.subgroup(members, tag: Int(serial & 0x3fff_ffff))
    }
  }

  func abandon() { isAbandoned = true }

  /// Replaces the elements by their sums; they travel as a copy.
  func sum(
    _ ranges: [Range<Int>], of gradients: UnsafeMutableRawPointer, precision: Precision,
    missing: [Int], _ patience: Patience
  ) throws(TeamError) {
    let elements = ElementRanges(ranges)
    let isHalved = self.gradients == .bfloat16 && precision == .float
    let summand: Summand = isHalved ? .bfloat16 : precision == .float ? .float : .double
    if bytes.count < elements.count * summand.size {
      bytes.deallocate()
      bytes = .allocate(byteCount: elements.count * summand.size, alignment: 64)
    }
    guard let base = bytes.baseAddress else { return }
    pending.removeAll(keepingCapacity: true)
    for start in stride(from: 0, to: elements.count, by: Self.bucket) {
      let places = start..<min(start + Self.bucket, elements.count)
      elements.forEach(in: places) { range, place in
        let source = gradients + range.lowerBound * precision.size
        let target = base + place * summand.size
        if isHalved {
          BrainFloat.encode(source, into: target, count: range.count)
        } else {
          target.copyMemory(from: source, byteCount: range.count * precision.size)
        }
      }
      if let operation = try begin(base + start * summand.size, places.count, summand) {
        pending.append(operation)
      }
    }
    for (i, start) in stride(from: 0, to: elements.count, by: Self.bucket).enumerated() {
      try patience.wait(missing: { missing }) { () throws(TeamError) in
        try mpi { () throws(MPIError) in try pending[i].isComplete() }
      }
      let places = start..<min(start + Self.bucket, elements.count)
      elements.forEach(in: places) { range, place in
        let source = base + place * summand.size
        let target = gradients + range.lowerBound * precision.size
        if isHalved {
          BrainFloat.decode(source, into: target, count: range.count)
        } else {
          target.copyMemory(from: source, byteCount: range.count * precision.size)
        }
      }
    }
  }

  private func begin(
    _ elements: UnsafeMutableRawPointer, _ count: Int, _ summand: Summand
  ) throws(TeamError) -> PendingOperation? {
    do throws(MPIError) {
      return try communicator?.startAllReduceSum(elements, count: count, of: summand)
    } catch {
      throw .failed(error.description)
    }
  }
}
