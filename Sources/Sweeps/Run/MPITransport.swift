import MPI

/// Messages over MPI, non-blocking only: each peer has its own buffers, and one that is dead, slow
/// or half-way through a large message holds up nobody else.
package final class MPITransport: Transport {
  package let rank: Rank
  package let size: Int
  private let communicator: Communicator
  private var peers: [Peer]
  /// Where the search for a complete message goes on, so that no peer is served before its turn.
  private var turn = 0
  private var pendingReceives = 0
  private let tag = 1

  private struct Peer {
    var isReachable = true
    /// In order; MPI completes them in any order and the front is looked at first.
    var sends: [PendingSend] = []
    var receives: [PendingReceive] = []
  }

  /// `communicator`, the world's, must outlive the transport.
  package init(_ communicator: borrowing Communicator) {
    self.communicator = communicator.alias()
    rank = communicator.rank
    size = communicator.size
    peers = Array(repeating: Peer(), count: communicator.size)
  }

  package func send(_ bytes: [UInt8], to peer: Rank) {
    guard peers[peer].isReachable else { return }
    do {
      peers[peer].sends.append(try communicator.startSend(bytes, to: peer, tag: tag))
      while let first = peers[peer].sends.first, try first.isComplete() {
        peers[peer].sends.removeFirst()
      }
    } catch {
      peers[peer].isReachable = false
    }
  }

  package func receive() -> Delivery? {
    accept()
    guard pendingReceives > 0 else { return nil }
    for offset in 0..<size {
      let peer = (turn + offset) % size
      guard let bytes = nextComplete(from: peer) else { continue }
      turn = peer + 1
      return Delivery(source: peer, bytes: bytes)
    }
    return nil
  }

  /// Begins to receive what has come in, not more than a round's worth at a time.
  private func accept() {
    do {
      for _ in 0..<size {
        guard let receive = try communicator.startReceive(tag: tag) else { return }
        peers[receive.source].receives.append(receive)
        pendingReceives += 1
      }
    } catch {
      // The message is lost with its sender, whose silence will be noticed.
    }
  }

  /// The oldest message from `peer` if it is complete; later ones wait for it.
  private func nextComplete(from peer: Rank) -> [UInt8]? {
    guard let first = peers[peer].receives.first else { return nil }
    do {
      guard let bytes = try first.bytes() else { return nil }
      peers[peer].receives.removeFirst()
      pendingReceives -= 1
      return bytes
    } catch {
      peers[peer].receives.removeFirst()
      pendingReceives -= 1
      return nil
    }
  }
}
