import Foundation

/// Prints progress to standard error: on a terminal one line that rewrites itself, at most five
/// times a second, elsewhere a line every few seconds; failures always.
package final class ProgressPrinter {
  private let isTerminal: Bool
  private let write: (String) -> Void
  private var lastPrint = -Double.infinity
  private var lastDone = -1
  private var shownColumns = 0

  package init(
    isTerminal: Bool = ProgressPrinter.isTerminal,
    write: @escaping (String) -> Void = {
      try? FileHandle.standardError.write(contentsOf: Data($0.utf8))
    }
  ) {
    self.isTerminal = isTerminal
    self.write = write
  }

  /// Under mpirun standard error is a pipe; the launcher's script says that a terminal is behind it.
  package static var isTerminal: Bool {
    ProcessInfo.processInfo.environment["MEMSWEEP_TERMINAL"] == "1" || isatty(STDERR_FILENO) == 1
  }

  package func show(_ status: RunStatus, failures: [(Trial, TrialResult)] = []) {
    for (trial, result) in failures { print(Progress.failureLine(trial, result)) }
    let interval = isTerminal ? 0.2 : status.elapsedSeconds < 60 ? 2.0 : 10.0
    guard status.now - lastPrint >= interval else { return }
    if isTerminal {
      rewrite(Progress.line(status, width: columns - 1))
    } else if status.done != lastDone || status.now - lastPrint >= 60 {
      print(Progress.logLine(status))
    } else {
      return
    }
    lastDone = status.done
    lastPrint = status.now
  }

  /// The last word, in a line that stays.
  package func finish(_ status: RunStatus) {
    print(Progress.logLine(status))
  }

  /// A line that stays, above the live one.
  package func print(_ line: String) {
    write(erasure + line + "\n")
    shownColumns = 0
  }

  private func rewrite(_ line: String) {
    write(erasure + line)
    shownColumns = line.count
  }

  private var erasure: String {
    shownColumns == 0 ? "" : "\r" + String(repeating: " ", count: shownColumns) + "\r"
  }

  private var columns: Int {
    var size = winsize()
    if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) } ?? 80
  }
}
