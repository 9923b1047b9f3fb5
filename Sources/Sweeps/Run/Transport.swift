import MPI

/// A message that has come in.
package struct Delivery: Sendable {
  package let source: Rank
  package let bytes: [UInt8]

  package init(source: Rank, bytes: [UInt8]) {
    self.source = source
    self.bytes = bytes
  }
}

/// Carries messages between the coordinator, rank 0, and the workers; no call waits for a peer.
package protocol Transport: AnyObject {
  var rank: Rank { get }
  /// How many ranks there are.
  var size: Int { get }

  /// Takes `bytes` on their way to `peer`, without a word if it cannot be reached: its silence tells.
  func send(_ bytes: [UInt8], to peer: Rank)

  /// The next message that has arrived in full, or nil.
  func receive() -> Delivery?
}
