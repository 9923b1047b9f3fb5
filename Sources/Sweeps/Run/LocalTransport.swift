import MPI

/// Both ends of a run in one process: the coordinator works whenever the worker looks for messages.
package final class LocalTransport: Transport {
  package let rank: Rank
  package let size = 2
  /// Called before this end looks for messages, to let the other end work.
  package var pump: () -> Void = {}
  private weak var peer: LocalTransport?
  private var inbox: [[UInt8]] = []
  private var taken = 0

  private init(rank: Rank) { self.rank = rank }

  /// The coordinator's end, rank 0, and the worker's, rank 1.
  package static func pair() -> (coordinator: LocalTransport, worker: LocalTransport) {
    let pair = (LocalTransport(rank: 0), LocalTransport(rank: 1))
    pair.0.peer = pair.1
    pair.1.peer = pair.0
    return pair
  }

  package func send(_ bytes: [UInt8], to peer: Rank) {
    precondition(peer == 1 - rank, "rank \(rank) has no peer \(peer)")
    self.peer?.inbox.append(bytes)
  }

  package func receive() -> Delivery? {
    if taken == inbox.count {
      inbox.removeAll(keepingCapacity: true)
      taken = 0
      pump()
    }
    guard taken < inbox.count else { return nil }
    defer { taken += 1 }
    return Delivery(source: 1 - rank, bytes: inbox[taken])
  }
}
