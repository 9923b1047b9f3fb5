import Foundation
import Sweeps

/// What the program prints: answers to standard output, everything else to standard error, both
/// from rank 0 only.
enum Terminal {
  /// Lets a closed pipe end the program quietly, as it does other programs; but not one that
  /// `outlivesItsReader`, such as a sweep whose `tee` was ended by the same Ctrl-C.
  static func prepare(outlivesItsReader: Bool = false) {
    signal(SIGPIPE, outlivesItsReader ? SIG_IGN : SIG_DFL)
  }

  /// Prints an answer.
  static func answer(_ text: String) {
    guard Launch.isFirst else { return }
    try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
  }

  /// Prints an answer as one line of JSON.
  static func answer(json: JSONValue) {
    answer(json.text + "\n")
  }

  /// Prints what went wrong or is worth knowing.
  static func note(_ text: String) {
    guard Launch.isFirst else { return }
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
  }
}

/// A number of things in words: `1 trial`, `12 trials`.
func counted(_ count: Int, _ noun: String) -> String {
  "\(count) \(noun)\(count == 1 ? "" : "s")"
}
