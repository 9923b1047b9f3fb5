import CMPI

/// A call of MPI under way; the memory that it was given belongs to MPI until it is complete.
package struct PendingOperation {
  var request: MPI_Request?
  private(set) var isDone = false

  init() { request = memsweep_request_null() }

  /// Begins the call of the C function `name`, which sets the request.
  fileprivate init(
    _ name: String, _ begin: (UnsafeMutablePointer<MPI_Request?>) -> CInt
  ) throws(MPIError) {
    self.init()
    try check(name, begin(&request))
  }

  /// Whether it is complete; lets MPI get on with all that is under way (`MPI_Test`).
  package mutating func isComplete() throws(MPIError) -> Bool {
    guard !isDone else { return true }
    var flag: CInt = 0
    try check("MPI_Test", MPI_Test(&request, &flag, nil))
    isDone = flag != 0
    return isDone
  }
}

/// The elements that MPI adds up.
package enum Summand: Sendable {
  case float, double
  /// The upper half of a float, rounded.
  case bfloat16

  package var size: Int {
    switch self {
    case .float: 4
    case .double: 8
    case .bfloat16: 2
    }
  }

  fileprivate var type: MPI_Datatype? {
    switch self {
    case .float: memsweep_float()
    case .double: memsweep_double()
    case .bfloat16: memsweep_uint16()
    }
  }
}

extension Communicator {
  /// Begins to send `bytes` to `destination` from where they are (`MPI_Isend`).
  package func startSend(
    _ bytes: UnsafeRawBufferPointer, to destination: Rank, tag: Int
  ) throws(MPIError) -> PendingOperation {
    try PendingOperation("MPI_Isend") {
      MPI_Isend(
        bytes.baseAddress, CInt(bytes.count), memsweep_byte(), CInt(destination), CInt(tag), raw, $0
      )
    }
  }

  /// Begins to receive a message of as many bytes as `bytes` has room for from `source`
  /// (`MPI_Irecv`).
  package func startReceive(
    into bytes: UnsafeMutableRawBufferPointer, from source: Rank, tag: Int
  ) throws(MPIError) -> PendingOperation {
    try PendingOperation("MPI_Irecv") {
      MPI_Irecv(
        bytes.baseAddress, CInt(bytes.count), memsweep_byte(), CInt(source), CInt(tag), raw, $0)
    }
  }

  /// Begins to replace `count` elements on every rank by their sums over all ranks, in whatever order
  /// MPI likes (`MPI_Iallreduce`).
  ///
  /// Collective.
  package func startAllReduceSum(
    _ elements: UnsafeMutableRawPointer, count: Int, of summand: Summand
  ) throws(MPIError) -> PendingOperation {
    try PendingOperation("MPI_Iallreduce") {
      MPI_Iallreduce(
        memsweep_in_place(), elements, CInt(count), summand.type,
        summand == .bfloat16 ? memsweep_bfloat16_sum() : memsweep_sum(), raw, $0)
    }
  }
}
