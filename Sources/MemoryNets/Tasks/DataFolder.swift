import Foundation

/// The folder of real data sets, from `--data` or `MEMSWEEP_DATA`; there may be none.
package struct DataFolder: Sendable {
  /// The environment variable that names the folder.
  package static let variable = "MEMSWEEP_DATA"

  /// The folder's path, or nil when none was named.
  package let path: String?

  package init(path: String?) {
    self.path = path
  }

  /// The folder of the command line, or else of `MEMSWEEP_DATA`; an empty name is none.
  package static func fromEnvironment(
    argument: String?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> DataFolder {
    let named = [argument, environment[variable]].compactMap { $0 }
    return DataFolder(path: named.first { !$0.isEmpty })
  }
}
