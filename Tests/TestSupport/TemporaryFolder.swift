import Foundation

/// A new folder for one test, removed with everything in it when it goes out of scope.
package final class TemporaryFolder {
  package let path: String

  package init() throws {
    let template = FileManager.default.temporaryDirectory.path + "/memsweep-test-XXXXXX"
    var bytes = Array(template.utf8CString)
    guard mkdtemp(&bytes) != nil else {
      throw TestSupportError("cannot make a folder like \(template)")
    }
    path = String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    remove()
  }

  /// The path of `name` in the folder.
  package func path(_ name: String) -> String {
    "\(path)/\(name)"
  }

  /// Writes a file and returns its path; folders on the way to it are made.
  @discardableResult
  package func write(_ text: String, to name: String) throws -> String {
    let url = URL(fileURLWithPath: path(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return url.path
  }

  /// The contents of the file `name`, or nil when there is none.
  package func bytes(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: path(name)).map { [UInt8]($0) }
  }

  /// The contents of the file `name` as text, or nil when there is none.
  package func text(_ name: String) -> String? {
    bytes(name).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The paths, relative to the folder and sorted, of all files below `name`.
  package func files(below name: String = "") -> [String] {
    let root = name.isEmpty ? path : path(name)
    let found = FileManager.default.enumerator(atPath: root)
    var files: [String] = []
    while let file = found?.nextObject() as? String {
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(
        atPath: "\(root)/\(file)", isDirectory: &isFolder)
      if exists, !isFolder.boolValue { files.append(name.isEmpty ? file : "\(name)/\(file)") }
    }
    return files.sorted()
  }

  /// Removes the folder now.
  package func remove() {
    try? FileManager.default.removeItem(atPath: path)
  }
}
