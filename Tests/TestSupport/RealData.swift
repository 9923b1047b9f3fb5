import Foundation

/// The real data sets, for tests that cannot do without.
///
///     @Test(.enabled(if: RealData.isExpected, RealData.skipReason))
///     func choralesHaveTheirPublishedSize() throws {
///       let folder = try RealData.folder()
///
/// Where they are missing such a test is skipped; where they are required (`CI` is true or
/// `MEMSWEEP_REQUIRE_DATA` is 1) it runs and fails.
package enum RealData {
  /// Whether a test that needs the data sets should run.
  package static var isExpected: Bool { namedFolder != nil || isRequired }

  /// Why it does not.
  package static let skipReason: String = "MEMSWEEP_DATA names no folder of data sets"

  /// The folder that `MEMSWEEP_DATA` names.
  package static func folder() throws -> String {
    guard let namedFolder else {
      throw TestSupportError("MEMSWEEP_DATA names no folder, and the data sets are required here")
    }
    return namedFolder
  }

  private static var namedFolder: String? {
    guard let path = ProcessInfo.processInfo.environment["MEMSWEEP_DATA"], !path.isEmpty else {
      return nil
    }
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    return exists && isFolder.boolValue ? path : nil
  }

  private static var isRequired: Bool {
    let environment = ProcessInfo.processInfo.environment
    return environment["CI"] == "true" || environment["MEMSWEEP_REQUIRE_DATA"] == "1"
  }
}
