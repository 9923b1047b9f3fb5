/// A message that cannot be decoded.
package enum MessageError: Error, Hashable {
  case endsTooSoon, unknownKind(UInt8), numberOutOfRange, notUTF8, tooDeep, bytesLeftOver
}

/// Appends values to a byte buffer: integers as variable-length groups of seven bits, numbers as
/// their eight bytes, text and lists after their length.
package struct ByteWriter {
  package private(set) var bytes: [UInt8] = []

  package init(reserving count: Int = 0) { bytes.reserveCapacity(count) }

  package mutating func write(byte: UInt8) { bytes.append(byte) }

  package mutating func write(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Small magnitudes of either sign are short: 0, -1, 1, -2 become 0, 1, 2, 3.
  package mutating func write(_ value: Int) {
    write(UInt64(bitPattern: Int64((value << 1) ^ (value >> 63))))
  }

  package mutating func write(_ value: Double) {
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
  }

  package mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }

  package mutating func write(_ text: String) {
    var text = text
    text.withUTF8 {
      write(UInt64($0.count))
      bytes.append(contentsOf: $0)
    }
  }

  package mutating func write<Element>(
    _ list: some Collection<Element>, _ writeElement: (inout ByteWriter, Element) -> Void
  ) {
    write(UInt64(list.count))
    for element in list { writeElement(&self, element) }
  }

  package mutating func write<Value>(
    _ value: Value?, _ writeValue: (inout ByteWriter, Value) -> Void
  ) {
    write(value != nil)
    if let value { writeValue(&self, value) }
  }
}

/// Reads back what a `ByteWriter` wrote, checking every bound: any bytes at all are safe to read.
package struct ByteReader {
  private let bytes: [UInt8]
  private var position = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var remaining: Int { bytes.count - position }

  package mutating func byte() throws(MessageError) -> UInt8 {
    guard position < bytes.count else { throw .endsTooSoon }
    defer { position += 1 }
    return bytes[position]
  }

  package mutating func unsigned() throws(MessageError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let group = try byte()
      guard shift < 63 || group <= 1 else { throw .numberOutOfRange }
      value |= UInt64(group & 0x7f) << shift
      if group < 0x80 { return value }
      shift += 7
    }
  }

  package mutating func integer() throws(MessageError) -> Int {
    let value = try unsigned()
    return Int(Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1))
  }

  package mutating func number() throws(MessageError) -> Double {
    guard remaining >= 8 else { throw .endsTooSoon }
    var bits: UInt64 = 0
    for i in 0..<8 { bits |= UInt64(bytes[position + i]) << UInt64(8 * i) }
    position += 8
    return Double(bitPattern: bits)
  }

  package mutating func boolean() throws(MessageError) -> Bool {
    let value = try byte()
    guard value <= 1 else { throw .numberOutOfRange }
    return value == 1
  }

  package mutating func text() throws(MessageError) -> String {
    let count = try self.count()
    let slice = bytes[position..<position + count]
    position += count
    guard let text = String(validating: slice, as: UTF8.self) else { throw .notUTF8 }
    return text
  }

  package mutating func list<Element>(
    _ element: (inout ByteReader) throws(MessageError) -> Element
  ) throws(MessageError) -> [Element] {
    let count = try self.count()
    var list: [Element] = []
    list.reserveCapacity(count)
    for _ in 0..<count { list.append(try element(&self)) }
    return list
  }

  package mutating func optional<Value>(
    _ value: (inout ByteReader) throws(MessageError) -> Value
  ) throws(MessageError) -> Value? {
    try boolean() ? try value(&self) : nil
  }

  /// Throws unless everything has been read.
  package func expectEnd() throws(MessageError) {
    guard remaining == 0 else { throw .bytesLeftOver }
  }

  /// A count of things of at least one byte each, so never more than the bytes that follow.
  private mutating func count() throws(MessageError) -> Int {
    let count = try unsigned()
    guard count <= UInt64(remaining) else { throw .endsTooSoon }
    return Int(count)
  }
}
