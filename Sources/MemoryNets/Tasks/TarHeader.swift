/// The block of 512 bytes before each file of a tar archive, in the form of POSIX.1-1988 (ustar).
struct TarHeader {
  static let blockBytes = 512

  let name: String
  let size: Int
  /// Whether a file follows, and not a directory or a link.
  let isFile: Bool

  /// Bytes from the header to the next one.
  var paddedSize: Int { (size + Self.blockBytes - 1) / Self.blockBytes * Self.blockBytes }

  /// Nil where `block` is none; an archive ends with a block of zeros.
  init?(_ block: some RandomAccessCollection<UInt8>) {
    let block = Array(block)
    guard block.count == Self.blockBytes, let size = Self.octal(block[124..<136]) else {
      return nil
    }
    let prefix = Self.text(block[345..<500])
    let name = Self.text(block[..<100])
    self.name = prefix.isEmpty ? name : "\(prefix)/\(name)"
    self.size = size
    isFile = block[156] == UInt8(ascii: "0") || block[156] == 0
  }

  private static func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = text(field).drop { $0 == " " }.prefix { $0.isNumber }
    return digits.isEmpty ? nil : Int(digits, radix: 8)
  }
}
