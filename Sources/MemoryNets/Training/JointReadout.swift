import CKernels

/// A read-out that the ranks of a team work on together, segment by segment of its classes, where all of
/// them share memory (`readout_segments.h`).
///
/// Whoever is free takes the next segment, so that a slower core does less, and no rank packs or sums
/// what another does. Gives the same bits as each rank for itself.
final class JointReadout {
  /// What the kernels know of it.
  let pointer: UnsafeMutablePointer<ms_joint>
  /// Elements of the gradients, ascending, that every rank has summed over all after the backward pass.
  let gradients: [Range<Int>]
  private let distances: UnsafeMutablePointer<Int64>
  private let team: any TrainingTeam
  private var problem: TeamError?

  /// Bytes that each rank shares for it.
  static func byteCount(
    _ readout: Plan.Readout, vectors: Int, ranks: Int, precision: Precision
  ) -> Int {
    Int(
      ms_readout_bytes(
        Int64(vectors * ranks), Int64(readout.classes), Int64(readout.inputs),
        Int32(precision.size)))
  }

  /// Collective over the team; nil where its ranks do not share memory.
  init?(_ plan: Plan, team: any TrainingTeam, precision: Precision) throws(TeamError) {
    guard let readout = plan.readout else { return nil }
    let bytes = Self.byteCount(
      readout, vectors: plan.flatVectors, ranks: team.size, precision: precision)
    guard let room = try team.sharedRoom(byteCount: bytes) else { return nil }
    self.team = team
    gradients = readout.gradients.sorted { $0.lowerBound < $1.lowerBound }
    distances = .allocate(capacity: team.size)
    for (i, distance) in room.distances.enumerated() { distances[i] = Int64(distance) }
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: ms_joint())
    pointer.pointee.parts = Int64(team.size)
    pointer.pointee.index = Int64(team.rank)
    pointer.pointee.room = room.base.assumingMemoryBound(to: CChar.self)
    pointer.pointee.distances = UnsafePointer(distances)
    pointer.pointee.next = room.counter
    pointer.pointee.serial = UInt64(room.serial)
    pointer.pointee.meet = { reference in
      guard let reference else { return 0 }
      return Unmanaged<JointReadout>.fromOpaque(reference).takeUnretainedValue().meet() ? 1 : 0
    }
    pointer.pointee.team = Unmanaged.passUnretained(self).toOpaque()
    if team.rank == 0 { room.counter.pointee = UInt64(room.serial) << 32 }
    try team.meet()
  }

  deinit {
    pointer.deallocate()
    distances.deallocate()
  }

  /// Whether the ranks could meet since the last check, or why not.
  func check() throws(TeamError) {
    if let problem { throw problem }
  }

  private func meet() -> Bool {
    guard problem == nil else { return false }
    do throws(TeamError) {
      try team.meet()
      return true
    } catch {
      problem = error
      return false
    }
  }
}
