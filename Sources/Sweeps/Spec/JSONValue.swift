import MemoryNets

/// A JSON value whose text is canonical: sorted keys, no spaces, shortest numbers.
///
/// Integers have no point and other numbers have one or an exponent, so that both return as what they were.
package indirect enum JSONValue: Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int)
  /// Finite.
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  package init(_ value: OptionValue) {
    switch value {
    case .integer(let x): self = .integer(x)
    case .number(let x): self = .number(x)
    case .boolean(let x): self = .boolean(x)
    case .string(let x): self = .string(x)
    case .list(let values): self = .array(values.map(JSONValue.init))
    }
  }

  package init(_ options: OptionDictionary) {
    self = .object(options.mapValues(JSONValue.init))
  }

  /// The option that the value is; nil for null and objects.
  package var option: OptionValue? {
    switch self {
    case .boolean(let x): return .boolean(x)
    case .integer(let x): return .integer(x)
    case .number(let x): return .number(x)
    case .string(let x): return .string(x)
    case .array(let values):
      let options = values.compactMap(\.option)
      return options.count == values.count ? .list(options) : nil
    case .null, .object: return nil
    }
  }

  /// The value on one line.
  package var text: String {
    var text = ""
    text.reserveCapacity(512)
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .boolean(let x): text += x ? "true" : "false"
    case .integer(let x): text += String(x)
    case .number(let x):
      precondition(x.isFinite, "JSON has no \(x)")
      text += "\(x == 0 ? 0 : x)"
    case .string(let x): JSONText.append(x, to: &text)
    case .array(let values):
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += "," }
        value.write(to: &text)
      }
      text += "]"
    case .object(let entries):
      text += "{"
      // By UTF-8 bytes: the order of String depends on the Unicode version.
      let keys = entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      for (index, key) in keys.enumerated() {
        if index > 0 { text += "," }
        JSONText.append(key, to: &text)
        text += ":"
        (entries[key] ?? .null).write(to: &text)
      }
      text += "}"
    }
  }
}

/// What keeps a text from being JSON.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// In bytes, from 0.
  package let offset: Int
  package let problem: String

  package var description: String { "byte \(offset): \(problem)" }
}

extension JSONValue {
  /// Reads one JSON value; arrays and objects are at most 64 deep.
  package init(parsing text: String) throws(JSONError) {
    var parser = JSONParser(bytes: Array(text.utf8))
    self = try parser.document()
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  private var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSONError) -> JSONValue {
    let value = try value(depth: 0)
    skipSpace()
    if position < bytes.count { throw error("more follows the value") }
    return value
  }

  private func error(_ problem: String) -> JSONError {
    JSONError(offset: position, problem: problem)
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let c = current, c == 0x20 || c == 0x0A || c == 0x0D || c == 0x09 { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard let current, UInt32(current) == character.value else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < 64 else { throw error("nested more than 64 deep") }
    if take("{") { return .object(try object(depth: depth)) }
    if take("[") { return .array(try array(depth: depth)) }
    if take("\"") { return .string(try string()) }
    let start = position
    while let c = current, !" \n\r\t,]}:[{\"".utf8.contains(c) { position += 1 }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    switch word {
    case "null": return .null
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    default:
      guard word.first != "+", word.first != ".",
        case .success(let number) = OptionType.number.parse(word)
      else {
        position = start
        throw error("a value is expected")
      }
      if case .success(let integer) = OptionType.integer.parse(word),
        word.utf8.allSatisfy({ $0 == 45 || (48...57).contains($0) })
      {
        return JSONValue(integer)
      }
      return JSONValue(number)
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
    var values: [JSONValue] = []
    if take("]") { return values }
    repeat { values.append(try value(depth: depth + 1)) } while take(",")
    guard take("]") else { throw error("] is expected") }
    return values
  }

  private mutating func object(depth: Int) throws(JSONError) -> [String: JSONValue] {
    var entries: [String: JSONValue] = [:]
    if take("}") { return entries }
    repeat {
      guard take("\"") else { throw error("a key is expected") }
      let key = try string()
      guard take(":") else { throw error(": is expected") }
      let value = try value(depth: depth + 1)
      guard entries.updateValue(value, forKey: key) == nil else {
        throw error("\(key) is given twice")
      }
    } while take(",")
    guard take("}") else { throw error("} is expected") }
    return entries
  }

  /// The rest of a string whose opening quotation mark has been taken.
  private mutating func string() throws(JSONError) -> String {
    var result: [UInt8] = []
    while let c = current {
      position += 1
      switch c {
      case 0x22:
        guard let text = String(validating: result, as: UTF8.self) else {
          throw error("not UTF-8")
        }
        return text
      case 0x5C: result += try escape()
      case 0..<0x20: throw error("a control character in a string")
      default: result.append(c)
      }
    }
    throw error("the string does not end")
  }

  private mutating func escape() throws(JSONError) -> [UInt8] {
    guard let c = current else { throw error("the string does not end") }
    position += 1
    switch Unicode.Scalar(c) {
    case "\"", "\\", "/": return [c]
    case "n": return [0x0A]
    case "t": return [0x09]
    case "r": return [0x0D]
    case "b": return [0x08]
    case "f": return [0x0C]
    case "u":
      var unit = UInt32(try hexadecimal())
      if (0xD800..<0xDC00).contains(unit), current == 0x5C {
        position += 1
        guard current == 0x75 else { throw error("half of a surrogate pair") }
        position += 1
        let low = UInt32(try hexadecimal())
        guard (0xDC00..<0xE000).contains(low) else { throw error("half of a surrogate pair") }
        unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(unit) else { throw error("half of a surrogate pair") }
      return Array(String(scalar).utf8)
    default: throw error("no such escape")
    }
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt16 {
    guard position + 4 <= bytes.count,
      let unit = UInt16(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16),
      bytes[position] != 43
    else { throw error("four hexadecimal digits are expected") }
    position += 4
    return unit
  }
}
