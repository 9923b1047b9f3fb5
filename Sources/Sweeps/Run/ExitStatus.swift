/// What the program's exit says.
package enum ExitStatus: Int32, Sendable {
  case complete = 0
  case internalError = 1
  /// Every trial has a result; some failed, diverged or timed out.
  case someFailed = 2
  /// The sweep file or the command line is wrong.
  case badInput = 64
  /// The output directory is unreadable, full, damaged, of another version or in use.
  case directoryUnusable = 74
  /// Stopped before the end: run it again.
  case interrupted = 75
}
