import Foundation
import Synchronization

/// The last stop signal that came in, 0 before the first: all that the handler touches.
private let receivedSignal = Atomic<Int32>(0)

/// Whether the process has been asked to stop: by SIGINT, SIGTERM, SIGUSR1 or SIGUSR2, by the death
/// of the launcher that started it, or by `request`.
package final class StopRequest {
  /// A signal handler may do next to nothing: it notes the signal and returns.
  package static func handleSignals() {
    _ = receivedSignal.load(ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { receivedSignal.store($0, ordering: .relaxed) }
    // Without SA_RESTART a sleep ends at once, so that the request is seen at once.
    // A parent can leave signals blocked in its child, as one does that starts it from a thread pool.
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGUSR1, SIGUSR2] {
      sigaction(signal, &action, nil)
      sigaddset(&signals, signal)
    }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  private let launcher: pid_t?
  private var isAsked = false

  /// With `watchesLauncher` the parent process is the launcher: without it the ranks are orphans.
  package init(watchesLauncher: Bool = false) {
    launcher = watchesLauncher ? getppid() : nil
  }

  package func request() { isAsked = true }

  package var isOrphaned: Bool { launcher.map { $0 != getppid() } ?? false }

  package var isRequested: Bool {
    isAsked || receivedSignal.load(ordering: .relaxed) != 0 || isOrphaned
  }

  /// Why, in a word: `SIGTERM`, `launcher died`.
  package var reason: String {
    switch receivedSignal.load(ordering: .relaxed) {
    case SIGINT: "SIGINT"
    case SIGTERM: "SIGTERM"
    case SIGUSR1: "SIGUSR1"
    case SIGUSR2: "SIGUSR2"
    default: isOrphaned ? "the launcher died" : "request"
    }
  }
}
