import CMPI

extension Communicator {
  /// Waits until every rank has come here (`MPI_Barrier`).
  ///
  /// Collective.
  package func barrier() throws(MPIError) {
    try check("MPI_Barrier", MPI_Barrier(raw))
  }

  /// The bytes that `root` passed, on every rank; what the others pass is ignored (`MPI_Bcast`).
  ///
  /// Collective.
  package func broadcast(_ bytes: [UInt8], from root: Rank) throws(MPIError) -> [UInt8] {
    var count = [Int64(bytes.count)]
    try check("MPI_Bcast", MPI_Bcast(&count, 8, memsweep_byte(), CInt(root), raw))
    var all = rank == root ? bytes : [UInt8](repeating: 0, count: Int(count[0]))
    try check("MPI_Bcast", MPI_Bcast(&all, CInt(all.count), memsweep_byte(), CInt(root), raw))
    return all
  }

  /// The bytes that each rank passed, by rank, on every rank (`MPI_Allgatherv`).
  ///
  /// Collective.
  package func gatherToAll(_ bytes: [UInt8]) throws(MPIError) -> [[UInt8]] {
    var counts = [Int32](repeating: 0, count: size)
    var count = Int32(bytes.count)
    try check(
      "MPI_Allgather",
      MPI_Allgather(&count, 4, memsweep_byte(), &counts, 4, memsweep_byte(), raw))
    var starts = [Int32](repeating: 0, count: size)
    for rank in 1..<max(size, 1) { starts[rank] = starts[rank - 1] + counts[rank - 1] }
    var all = [UInt8](repeating: 0, count: counts.reduce(0) { $0 + Int($1) })
    try check(
      "MPI_Allgatherv",
      MPI_Allgatherv(
        bytes, count, memsweep_byte(), &all, counts, starts, memsweep_byte(), raw))
    return (0..<size).map { Array(all[Int(starts[$0])..<Int(starts[$0] + counts[$0])]) }
  }

  /// Replaces `values` on every rank by their elementwise sum over all ranks (`MPI_Allreduce`).
  ///
  /// Collective.
  package func allReduceSum(_ values: UnsafeMutableBufferPointer<Float>) throws(MPIError) {
    try check(
      "MPI_Allreduce",
      MPI_Allreduce(
        memsweep_in_place(), values.baseAddress, CInt(values.count),
        memsweep_float(), memsweep_sum(), raw))
  }

  /// Replaces `values` on every rank by their elementwise sum over all ranks (`MPI_Allreduce`).
  ///
  /// Collective.
  package func allReduceSum(_ values: UnsafeMutableBufferPointer<Double>) throws(MPIError) {
    try check(
      "MPI_Allreduce",
      MPI_Allreduce(
        memsweep_in_place(), values.baseAddress, CInt(values.count),
        memsweep_double(), memsweep_sum(), raw))
  }
}
