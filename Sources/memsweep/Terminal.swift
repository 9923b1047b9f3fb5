import Foundation
import Sweeps

/// What the program prints: answers to standard output, everything else to standard error, both
/// from rank 0 only.
enum Terminal {
  /// Lets a closed pipe end the program quietly, as it does other programs.
  static func prepare() {
    signal(SIGPIPE, SIG_DFL)
  }

  /// Prints an answer.
  static func answer(_ text: String) {
    guard Launch.isFirst else { return }
    FileHandle.standardOutput.write(Data(text.utf8))
  }

  /// Prints an answer as one line of JSON.
  static func answer(json: JSONValue) {
    answer(json.text + "\n")
  }

  /// Prints what went wrong.
  static func complain(_ text: String) {
    note(text)
  }

  /// Prints what is worth knowing.
  static func note(_ text: String) {
    guard Launch.isFirst else { return }
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }
}
