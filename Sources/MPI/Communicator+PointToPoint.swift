import CMPI

extension Communicator {
  /// Sends `bytes` to `destination`; returns once the buffer may be reused (`MPI_Send`).
  package func send(_ bytes: [UInt8], to destination: Rank, tag: Int = 0) throws(MPIError) {
    try check(
      "MPI_Send",
      MPI_Send(bytes, CInt(bytes.count), memsweep_byte(), CInt(destination), CInt(tag), raw))
  }

  /// Receives one message of any length from `source`, waiting for it (`MPI_Mprobe`).
  package func receive(from source: Rank, tag: Int = 0) throws(MPIError) -> [UInt8] {
    var message: MPI_Message?
    var status = MPI_Status()
    try check("MPI_Mprobe", MPI_Mprobe(CInt(source), CInt(tag), raw, &message, &status))
    var count: CInt = 0
    try check("MPI_Get_count", MPI_Get_count(&status, memsweep_byte(), &count))
    var bytes = [UInt8](repeating: 0, count: Int(count))
    try check("MPI_Mrecv", MPI_Mrecv(&bytes, count, memsweep_byte(), &message, &status))
    return bytes
  }

  /// Begins to send a copy of `bytes` to `destination`; returns at once (`MPI_Isend`).
  package func startSend(
    _ bytes: [UInt8], to destination: Rank, tag: Int
  ) throws(MPIError) -> PendingSend {
    let transfer = PendingTransfer(byteCount: bytes.count)
    transfer.buffer.copyBytes(from: bytes)
    try check(
      "MPI_Isend",
      MPI_Isend(
        transfer.buffer.baseAddress, CInt(bytes.count), memsweep_byte(), CInt(destination),
        CInt(tag), raw, &transfer.operation.request))
    return PendingSend(transfer: transfer)
  }

  /// Begins to receive the next message that has come in from any rank, or returns nil if there is
  /// none; returns at once (`MPI_Improbe`, `MPI_Imrecv`).
  package func startReceive(tag: Int) throws(MPIError) -> PendingReceive? {
    var isThere: CInt = 0
    var message: MPI_Message?
    var status = MPI_Status()
    try check(
      "MPI_Improbe",
      MPI_Improbe(CInt(MPI_ANY_SOURCE), CInt(tag), raw, &isThere, &message, &status))
    guard isThere != 0 else { return nil }
    var count: CInt = 0
    try check("MPI_Get_count", MPI_Get_count(&status, memsweep_byte(), &count))
    let transfer = PendingTransfer(byteCount: Int(count))
    try check(
      "MPI_Imrecv",
      MPI_Imrecv(
        transfer.buffer.baseAddress, count, memsweep_byte(), &message, &transfer.operation.request))
    return PendingReceive(source: Rank(status.MPI_SOURCE), transfer: transfer)
  }
}

/// A message on its way out.
package struct PendingSend {
  fileprivate let transfer: PendingTransfer

  /// Whether MPI has taken the message over; of a small one to a dead rank it says so too.
  package func isComplete() throws(MPIError) -> Bool { try transfer.isComplete() }
}

/// A message on its way in.
package struct PendingReceive {
  package let source: Rank
  fileprivate let transfer: PendingTransfer

  /// The message once all of it is here; a sender that died halfway leaves it at nil for ever.
  package func bytes() throws(MPIError) -> [UInt8]? {
    try transfer.isComplete() ? [UInt8](transfer.buffer) : nil
  }
}

/// The buffer of a transfer and its request, together for as long as MPI may touch the buffer.
private final class PendingTransfer {
  let buffer: UnsafeMutableRawBufferPointer
  var operation = PendingOperation()

  init(byteCount: Int) { buffer = .allocate(byteCount: byteCount, alignment: 8) }

  deinit {
    // The buffer of a transfer that never completed still belongs to MPI and is left to it.
    if operation.isDone { buffer.deallocate() }
  }

  func isComplete() throws(MPIError) -> Bool { try operation.isComplete() }
}
