import CXXHash

/// A 64-bit checksum of what stands in a row, kept beside it.
///
/// SQLite notices a damaged page structure, not a flipped bit inside a value; this does. Values are
/// hashed with XXH3 as little-endian bytes, texts with their length before them, absent values as a
/// tag, so that no two different rows have the same bytes.
struct RowChecksum {
  private var bytes: [UInt8] = []

  init() { bytes.reserveCapacity(512) }

  mutating func add(_ integer: Int?) {
    guard let integer else { return bytes.append(0) }
    bytes.append(1)
    append(UInt64(bitPattern: Int64(integer)))
  }

  /// Not-a-number counts as absent, since SQLite stores it as NULL, and -0 as 0.
  mutating func add(_ number: Double?) {
    guard let number, !number.isNaN else { return bytes.append(0) }
    bytes.append(2)
    append((number + 0).bitPattern)
  }

  mutating func add(_ text: String?) {
    guard let text else { return bytes.append(0) }
    bytes.append(3)
    append(UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  /// The checksum as SQLite holds it.
  var value: Int {
    bytes.withUnsafeBytes { Int(truncatingIfNeeded: XXH3_64bits($0.baseAddress, $0.count)) }
  }

  private mutating func append(_ word: UInt64) {
    withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
  }
}
