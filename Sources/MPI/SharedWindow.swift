import CMPI
import Foundation

/// Memory that the ranks of one node share, a part for each (`MPI_Win_allocate_shared`).
///
/// It takes memory only where it has been written. Ranks look at each other's parts as at their own;
/// what makes them wait for each other is up to the user. It lasts as long as the process: freeing it
/// would have to wait for all ranks, of which some may be dead.
package final class SharedWindow {
  /// The ranks of the communicator's that share it, ascending.
  package let ranks: [Rank]
  /// Of each part.
  package let byteCount: Int
  private let parts: [UnsafeMutableRawPointer]

  /// Allocates a part for each rank of a node, of as many bytes as the first of `byteCounts` that
  /// there is room for; nil on nodes that have no room.
  ///
  /// Collective over all of `communicator`.
  package static func allocate(
    _ communicator: borrowing Communicator, byteCounts: [Int]
  ) throws(MPIError) -> SharedWindow? {
    let node = try communicator.splitByNode()
    let ranks = try node.gatherToAll(Self.bytes(of: Int64(communicator.rank)))
      .map { Rank(Self.integer(in: $0)) }
    // Asked beforehand: memory that the system has promised and does not have kills who touches it.
    let page = Int(getpagesize())
    let free = try node.gatherToAll(Self.bytes(of: freeBytes)).map { Self.integer(in: $0) }.min()
    let whole = byteCounts.map { ($0 + page - 1) / page * page }
    let fitting = whole.first { Int64($0) * Int64(node.size) <= free ?? 0 }
    return try fitting.map { (byteCount) throws(MPIError) in
      try SharedWindow(node, ranks: ranks, byteCount: byteCount)
    }
  }

  private init(
    _ node: borrowing Communicator, ranks: [Rank], byteCount: Int
  ) throws(MPIError) {
    self.ranks = ranks
    self.byteCount = byteCount
    var info: MPI_Info?
    try check("MPI_Info_create", MPI_Info_create(&info))
    defer { MPI_Info_free(&info) }
    // Parts that begin at pages, near the core of their rank.
    try check("MPI_Info_set", MPI_Info_set(info, "alloc_shared_noncontig", "true"))
    var window: MPI_Win?
    var base: UnsafeMutableRawPointer?
    try withUnsafeMutablePointer(to: &base) { (base) throws(MPIError) in
      try check(
        "MPI_Win_allocate_shared",
        MPI_Win_allocate_shared(MPI_Aint(byteCount), 1, info, node.raw, base, &window))
    }
    try check(
      "MPI_Win_lock_all", MPI_Win_lock_all(CInt(MPI_MODE_NOCHECK), window))
    var parts: [UnsafeMutableRawPointer] = []
    for rank in 0..<node.size {
      var size = MPI_Aint()
      var unit = CInt()
      var start: UnsafeMutableRawPointer?
      try withUnsafeMutablePointer(to: &start) { (start) throws(MPIError) in
        try check(
          "MPI_Win_shared_query",
          MPI_Win_shared_query(window, CInt(rank), &size, &unit, start))
      }
      guard let start, size >= byteCount else {
        throw MPIError(function: "MPI_Win_shared_query", code: CInt(MPI_ERR_WIN))
      }
      parts.append(start)
    }
    self.parts = parts
  }

  /// The part of `rank`, a rank of the communicator; nil if it is on another node.
  package func part(of rank: Rank) -> UnsafeMutableRawPointer? {
    ranks.firstIndex(of: rank).map { parts[$0] }
  }

  /// What the system can still give for shared memory.
  private static var freeBytes: Int64 {
    var status = statvfs()
    guard statvfs("/dev/shm", &status) == 0 else { return .max }
    return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
  }

  private static func bytes(of integer: Int64) -> [UInt8] {
    withUnsafeBytes(of: integer) { Array($0) }
  }

  private static func integer(in bytes: [UInt8]) -> Int64 {
    bytes.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) }
  }
}
