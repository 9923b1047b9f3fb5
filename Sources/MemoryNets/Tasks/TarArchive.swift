/// The files of a tar archive, by name; directories and links are passed over.
///
/// The form of POSIX.1-1988 (ustar): blocks of 512 bytes, a header before each file.
struct TarArchive {
  private let bytes: [UInt8]
  private(set) var files: [String: Range<Int>] = [:]
  private static let block = 512

  /// Nil where `bytes` are no archive or end within one.
  init?(_ bytes: [UInt8]) {
    self.bytes = bytes
    var position = 0
    while position + Self.block <= bytes.count, bytes[position] != 0 {
      guard let size = Self.octal(bytes[position + 124..<position + 136]) else { return nil }
      let prefix = Self.text(bytes[position + 345..<position + 500])
      let name = Self.text(bytes[position..<position + 100])
      let start = position + Self.block
      guard size <= bytes.count - start else { return nil }
      let kind = bytes[position + 156]
      if kind == UInt8(ascii: "0") || kind == 0 {
        files[prefix.isEmpty ? name : "\(prefix)/\(name)"] = start..<start + size
      }
      position = start + (size + Self.block - 1) / Self.block * Self.block
    }
    guard position < bytes.count, !files.isEmpty else { return nil }
  }

  subscript(name: String) -> ArraySlice<UInt8>? { files[name].map { bytes[$0] } }

  private static func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = text(field).drop { $0 == " " }.prefix { $0.isNumber }
    return digits.isEmpty ? nil : Int(digits, radix: 8)
  }
}
