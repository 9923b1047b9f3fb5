/// The files of a tar archive in memory, by name; directories and links are passed over.
struct TarArchive {
  private let bytes: [UInt8]
  private(set) var files: [String: Range<Int>] = [:]

  /// Nil where `bytes` are no archive or end within one.
  init?(_ bytes: [UInt8]) {
    self.bytes = bytes
    var position = 0
    while position + TarHeader.blockBytes <= bytes.count, bytes[position] != 0 {
      let start = position + TarHeader.blockBytes
      guard let header = TarHeader(bytes[position..<start]), header.size <= bytes.count - start
      else { return nil }
      if header.isFile { files[header.name] = start..<start + header.size }
      position = start + header.paddedSize
    }
    guard position < bytes.count, !files.isEmpty else { return nil }
  }

  subscript(name: String) -> ArraySlice<UInt8>? { files[name].map { bytes[$0] } }
}
