import Foundation

/// The program under test, built beside the test bundle.
package enum Program {
  package static var path: String {
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("memsweep").path
  }
}
