import CXXHash
import Foundation

/// A file of a published data set within the data folder.
struct DataFile {
  /// Its path within the folder: `mnist/train-labels-idx1-ubyte.gz`.
  let name: String
  /// Where it comes from, for messages.
  let source: String

  /// Its path in `folder`.
  func path(in folder: DataFolder) throws(TaskError) -> String {
    guard let root = folder.path else { throw .noDataFolder(file: name, source: source) }
    return URL(fileURLWithPath: root).appendingPathComponent(name).path
  }

  /// Its bytes.
  func bytes(in folder: DataFolder) throws(TaskError) -> [UInt8] {
    try Self.bytes(path: try path(in: folder), source: source)
  }

  /// The bytes of the file at `path`.
  static func bytes(path: String, source: String) throws(TaskError) -> [UInt8] {
    guard FileManager.default.fileExists(atPath: path) else {
      throw .missingFile(path: path, source: source)
    }
    do {
      return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw .unreadableFile(path: path, reason: error.localizedDescription)
    }
  }
}

/// 32 hexadecimal digits that identify `bytes`: XXH3-128.
func contentDigest(_ bytes: [UInt8]) -> String {
  let hash = bytes.withUnsafeBytes { XXH3_128bits($0.baseAddress, $0.count) }
  return [hash.high64, hash.low64].map { word in
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }.joined()
}
