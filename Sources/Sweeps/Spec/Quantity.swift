import MemoryNets

/// Amounts of time and memory as the sweep's own settings write them.
package enum Quantity {
  /// Seconds in `60s`, `10m`, `1.5h`, `2d`, `500ms`, `04:00:00`, `2-04:00:00` or `10:00` (minutes and
  /// seconds); nil for anything else.
  package static func seconds(_ text: String) -> Double? {
    if text.contains(":") { return clock(text) }
    return amount(
      text, units: ["ms": 1e-3, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400])
  }

  /// Bytes in `2GiB`, `512MiB`, `1.5GB`, `4096B`; nil for anything else.
  package static func bytes(_ text: String) -> Int? {
    let units: [String: Double] = [
      "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
      "KiB": 0x1p10, "MiB": 0x1p20, "GiB": 0x1p30, "TiB": 0x1p40,
    ]
    return amount(text, units: units).flatMap { $0 < 0x1p62 ? Int($0) : nil }
  }

  private static func amount(_ text: String, units: [String: Double]) -> Double? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(number.count).drop { $0 == " " }
    guard let factor = units[String(unit)], case .success(.number(let value)) = parse(number) else {
      return nil
    }
    return value * factor
  }

  private static func parse(_ text: Substring) -> Result<OptionValue, OptionTypeMismatch> {
    OptionType.number.parse(String(text))
  }

  private static func clock(_ text: String) -> Double? {
    var rest = Substring(text)
    var days = 0
    if let dash = text.firstIndex(of: "-") {
      guard let value = digits(text[..<dash], below: 10_000) else { return nil }
      days = value
      rest = text[text.index(after: dash)...]
    }
    let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), let first = digits(parts[0], below: 10_000) else {
      return nil
    }
    var seconds = first
    for part in parts.dropFirst() {
      guard part.count == 2, let value = digits(part, below: 60) else { return nil }
      seconds = seconds * 60 + value
    }
    return Double(days * 86400 + seconds)
  }

  private static func digits(_ text: Substring, below bound: Int) -> Int? {
    guard !text.isEmpty, text.count <= 6, text.allSatisfy({ $0.isASCII && $0.isNumber }),
      let value = Int(text), value < bound
    else { return nil }
    return value
  }
}
