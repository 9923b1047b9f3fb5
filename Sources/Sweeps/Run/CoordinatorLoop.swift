import MPI

/// Connects a coordinator with the world: transport, clock, stop request, directory and printer.
package final class CoordinatorLoop {
  package let coordinator: Coordinator
  private let transport: any Transport
  private let clock: RunClock
  private let stop: StopRequest
  private let directory: SweepDirectory?
  private let printer: ProgressPrinter?

  package init(
    _ coordinator: Coordinator, transport: any Transport, clock: RunClock, stop: StopRequest,
    directory: SweepDirectory? = nil, printer: ProgressPrinter? = nil
  ) {
    self.coordinator = coordinator
    self.transport = transport
    self.clock = clock
    self.stop = stop
    self.directory = directory
    self.printer = printer
  }

  /// Takes in what has come and sends what is due; returns whether there was anything.
  @discardableResult package func turn() -> Bool {
    var isBusy = false
    // Everything that is there comes before the time: a message in the queue breaks a silence.
    while let delivery = transport.receive() {
      guard let message = try? FromWorker(decoding: delivery.bytes) else { continue }
      coordinator.receive(message, from: delivery.source, now: clock.now)
      isBusy = true
    }
    let now = clock.now
    if stop.isRequested { coordinator.requestStop(because: stop.reason, now: now) }
    coordinator.tick(now: now)
    for (message, rank) in coordinator.takeMessages() {
      transport.send(message.encoded, to: rank)
      isBusy = true
    }
    directory?.beat(now: now)
    printer?.show(coordinator.status, failures: coordinator.takeAnnouncements())
    return isBusy
  }

  /// Turns until the run has ended.
  package func run() {
    var backoff = Backoff()
    while !hasEnded {
      if turn() { backoff.reset() } else { backoff.wait() }
    }
  }

  package var hasEnded: Bool {
    if case .ended = coordinator.phase { return true }
    return false
  }
}
