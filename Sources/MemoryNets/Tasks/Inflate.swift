/// Why bytes are not a whole gzip file.
package struct GzipError: Error, Hashable {
  package let problem: String

  package init(problem: String) { self.problem = problem }
}

/// The contents of a gzip file of one member: RFC 1952 around RFC 1951.
///
/// The checksum at its end is not looked at; files of a data set are known by a digest.
package func inflate(gzip bytes: [UInt8]) throws(GzipError) -> [UInt8] {
  guard bytes.count >= 18, bytes[0] == 0x1f, bytes[1] == 0x8b, bytes[2] == 8 else {
    throw GzipError(problem: "it is no gzip file")
  }
  var start = 10
  let flags = bytes[3]
  if flags & 4 != 0 { start += 2 + Int(bytes[10]) + Int(bytes[11]) << 8 }
  for flag in [8, 16] as [UInt8] where flags & flag != 0 {
    guard start < bytes.count, let end = bytes[start...].firstIndex(of: 0) else {
      throw GzipError(problem: "it ends early")
    }
    start = end + 1
  }
  if flags & 2 != 0 { start += 2 }
  guard start + 8 <= bytes.count else { throw GzipError(problem: "it ends early") }
  let size = bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
  var inflater = Inflater(Array(bytes[start..<bytes.count - 8]), expected: size)
  return try inflater.run()
}

/// Decodes the blocks of a deflate stream.
private struct Inflater {
  private let bytes: [UInt8]
  private var position = 0
  /// Bits that were read and not used, the next one lowest.
  private var bits: UInt64 = 0
  private var bitCount = 0
  private var output: [UInt8] = []

  init(_ bytes: [UInt8], expected: Int) {
    self.bytes = bytes
    output.reserveCapacity(min(expected, 1 << 30))
  }

  mutating func run() throws(GzipError) -> [UInt8] {
    var isLast = false
    while !isLast {
      isLast = try take(1) == 1
      switch try take(2) {
      case 0: try stored()
      case 1: try compressed(Self.fixedLengths, Self.fixedDistances)
      case 2:
        let (lengths, distances) = try tables()
        try compressed(lengths, distances)
      default: throw GzipError(problem: "it holds a block of no known kind")
      }
    }
    return output
  }

  private mutating func stored() throws(GzipError) {
    _ = try take(bitCount % 8)
    let length = try take(16)
    guard try take(16) == ~length & 0xffff else {
      throw GzipError(problem: "a stored block does not say its length twice")
    }
    for _ in 0..<length { output.append(UInt8(try take(8))) }
  }

  private mutating func compressed(
    _ lengths: HuffmanCode, _ distances: HuffmanCode
  ) throws(GzipError) {
    while true {
      let symbol = try decode(lengths)
      if symbol < 256 {
        output.append(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol < 286 else { throw GzipError(problem: "it holds a length that does not exist") }
      let length = Self.lengthBases[symbol - 257] + (try take(Self.lengthBits[symbol - 257]))
      let code = try decode(distances)
      guard code < 30 else { throw GzipError(problem: "it holds a distance that does not exist") }
      let distance = Self.distanceBases[code] + (try take(code < 2 ? 0 : code / 2 - 1))
      guard distance <= output.count else {
        throw GzipError(problem: "it refers to what is before its start")
      }
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }

  /// The codes of a block that brings its own.
  private mutating func tables() throws(GzipError) -> (HuffmanCode, HuffmanCode) {
    let lengthCount = try take(5) + 257
    let distanceCount = try take(5) + 1
    let orderCount = try take(4) + 4
    var orderLengths = [UInt8](repeating: 0, count: 19)
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    for i in 0..<orderCount { orderLengths[order[i]] = UInt8(try take(3)) }
    let code = HuffmanCode(orderLengths)
    var lengths: [UInt8] = []
    while lengths.count < lengthCount + distanceCount {
      switch try decode(code) {
      case let symbol where symbol < 16: lengths.append(UInt8(symbol))
      case 16:
        guard let last = lengths.last else { throw GzipError(problem: "a code repeats nothing") }
        lengths += [UInt8](repeating: last, count: 3 + (try take(2)))
      case 17: lengths += [UInt8](repeating: 0, count: 3 + (try take(3)))
      default: lengths += [UInt8](repeating: 0, count: 11 + (try take(7)))
      }
    }
    guard lengths.count == lengthCount + distanceCount else {
      throw GzipError(problem: "a code has too many symbols")
    }
    return (HuffmanCode(lengths[..<lengthCount]), HuffmanCode(lengths[lengthCount...]))
  }

  /// The next `count` bits as a number, the first one lowest.
  private mutating func take(_ count: Int) throws(GzipError) -> Int {
    fill()
    guard bitCount >= count else { throw GzipError(problem: "it ends early") }
    let value = Int(bits & (1 << UInt64(count) - 1))
    bits >>= UInt64(count)
    bitCount -= count
    return value
  }

  private mutating func decode(_ code: HuffmanCode) throws(GzipError) -> Int {
    fill()
    let entry = code.table[Int(bits & 0x7fff)]
    let length = Int(entry & 15)
    guard length > 0, length <= bitCount else {
      throw GzipError(
        problem: length == 0 ? "it holds a code that does not exist" : "it ends early")
    }
    bits >>= UInt64(length)
    bitCount -= length
    return Int(entry >> 4)
  }

  private mutating func fill() {
    while bitCount <= 48, position < bytes.count {
      bits |= UInt64(bytes[position]) << UInt64(bitCount)
      position += 1
      bitCount += 8
    }
  }

  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
    3073, 4097, 6145, 8193, 12289, 16385, 24577,
  ]
  private static let fixedLengths = HuffmanCode(
    (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  private static let fixedDistances = HuffmanCode([UInt8](repeating: 5, count: 30))
}

/// A prefix code, as a table over the next 15 bits.
private struct HuffmanCode {
  /// The symbol times 16 and the length of its code; 0 where no code begins so.
  let table: [UInt16]

  /// The code whose symbol s has `lengths[s]` bits, or none for 0.
  init(_ lengths: some Collection<UInt8>) {
    var table = [UInt16](repeating: 0, count: 1 << 15)
    var code = 0
    for length in 1...15 {
      for (symbol, own) in lengths.enumerated() where own == length && code < 1 << length {
        // The stream brings the first bit of a code lowest.
        var reversed = 0
        for bit in 0..<length where code >> bit & 1 == 1 { reversed |= 1 << (length - 1 - bit) }
        for entry in stride(from: reversed, to: 1 << 15, by: 1 << length) {
          table[entry] = UInt16(symbol << 4 | length)
        }
        code += 1
      }
      code <<= 1
    }
    self.table = table
  }
}
