import MemoryNets

/// JSON as this program writes it: no spaces, one way to write each value.
enum JSONText {
  /// `text` in quotes, with what JSON forbids escaped.
  static func string(_ text: String) -> String {
    var out = ""
    append(text, to: &out)
    return out
  }

  /// Adds `string(text)` to `out`.
  static func append(_ text: String, to out: inout String) {
    out += "\""
    // Most texts need no escape, and a trial has dozens of them.
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) else {
      out += text
      out += "\""
      return
    }
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }

  /// The shortest decimal that reads back as `number`; `null` where it is not finite.
  static func number(_ number: Double?) -> String {
    guard let number, number.isFinite else { return "null" }
    return "\(number)"
  }

  static func integer(_ integer: Int?) -> String {
    integer.map { "\($0)" } ?? "null"
  }

  static func string(_ text: String?) -> String {
    text.map { string($0) as String } ?? "null"
  }

  /// An option's value; infinity is `1e999`, which JSON readers take for infinity.
  static func value(_ value: OptionValue) -> String {
    switch value {
    case .integer(let integer): "\(integer)"
    case .number(let number) where number.isInfinite: number < 0 ? "-1e999" : "1e999"
    case .number(let number): self.number(number)
    case .boolean(let boolean): boolean ? "true" : "false"
    case .string(let text): string(text)
    case .list(let values): "[" + values.map { self.value($0) }.joined(separator: ",") + "]"
    }
  }

  /// An object with the keys in the order given.
  static func object(_ members: [(key: String, value: String)]) -> String {
    "{" + members.map { string($0.key) + ":" + $0.value }.joined(separator: ",") + "}"
  }

  static func array(_ elements: [String]) -> String {
    "[" + elements.joined(separator: ",") + "]"
  }

  /// The searched dimensions of a trial, in their order.
  static func parameters(_ parameters: [TrialParameter]) -> String {
    object(parameters.map { ($0.path, value($0.value)) })
  }

  /// Reads what `parameters` wrote; nil for anything else.
  static func readParameters(_ text: String) -> [TrialParameter]? {
    var reader = JSONReader(text)
    guard let members = reader.members(), reader.isAtEnd else { return nil }
    return members.map { TrialParameter(path: $0.key, value: $0.value) }
  }

  /// Reads an array of strings; nil for anything else.
  static func readStrings(_ text: String) -> [String]? {
    var reader = JSONReader(text)
    guard case .list(let values) = reader.value(), reader.isAtEnd else { return nil }
    var strings: [String] = []
    for value in values {
      guard case .string(let string) = value else { return nil }
      strings.append(string)
    }
    return strings
  }
}

/// Reads the JSON of flat objects of option values, keeping the order of keys and the difference
/// between `1` and `1.0`.
private struct JSONReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ text: String) {
    bytes = Array(text.utf8)
  }

  var isAtEnd: Bool { position == bytes.count }

  mutating func members() -> [(key: String, value: OptionValue)]? {
    guard take("{") else { return nil }
    var members: [(key: String, value: OptionValue)] = []
    if take("}") { return members }
    repeat {
      guard let key = string(), take(":"), let value = value() else { return nil }
      members.append((key, value))
    } while take(",")
    return take("}") ? members : nil
  }

  mutating func value(depth: Int = 0) -> OptionValue? {
    guard position < bytes.count, depth < 64 else { return nil }
    switch bytes[position] {
    case UInt8(ascii: "\""): return string().map { .string($0) }
    case UInt8(ascii: "t"): return take("true") ? .boolean(true) : nil
    case UInt8(ascii: "f"): return take("false") ? .boolean(false) : nil
    case UInt8(ascii: "n"): return take("null") ? .number(.nan) : nil
    case UInt8(ascii: "["): return list(depth: depth + 1)
    default: return number()
    }
  }

  private mutating func list(depth: Int) -> OptionValue? {
    guard take("[") else { return nil }
    var values: [OptionValue] = []
    if take("]") { return .list(values) }
    repeat {
      guard let value = value(depth: depth) else { return nil }
      values.append(value)
    } while take(",")
    return take("]") ? .list(values) : nil
  }

  private mutating func number() -> OptionValue? {
    let start = position
    while position < bytes.count, "+-.0123456789eE".utf8.contains(bytes[position]) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if let integer = Int(text) { return .integer(integer) }
    return Double(text).map { .number($0) }
  }

  private mutating func string() -> String? {
    guard take("\"") else { return nil }
    var out: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") { return String(validating: out, as: UTF8.self) }
      guard byte == UInt8(ascii: "\\") else {
        out.append(byte)
        continue
      }
      guard let scalar = escape() else { return nil }
      out.append(contentsOf: String(Character(scalar)).utf8)
    }
    return nil
  }

  private mutating func escape() -> Unicode.Scalar? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    switch bytes[position] {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      guard position + 4 < bytes.count,
        let code = UInt32(
          String(decoding: bytes[position + 1...position + 4], as: UTF8.self), radix: 16)
      else { return nil }
      position += 4
      return Unicode.Scalar(code)
    case let byte: return Unicode.Scalar(byte)
    }
  }

  private mutating func take(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { return false }
    for offset in 0..<count where bytes[position + offset] != text.utf8Start[offset] {
      return false
    }
    position += count
    return true
  }
}
