import MemoryNets

/// The order in which people expect values: 2 before 10, `layer2` before `layer10`.
///
/// Comparisons return a negative number, zero or a positive number; zero only for equal values.
enum NaturalOrder {
  /// Value by value in the order of the sweep file; what only one side has comes by its name.
  static func compare(_ a: [TrialParameter], _ b: [TrialParameter]) -> Int {
    compare(a, b) { a, b in
      let paths = compare(a.path, b.path)
      return paths != 0 ? paths : compare(a.value, b.value)
    }
  }

  /// Numbers first, by size, then booleans, texts and lists.
  static func compare(_ a: OptionValue, _ b: OptionValue) -> Int {
    switch (a, b) {
    case (.integer(let a), .integer(let b)): return sign(a, b)
    case (.boolean(let a), .boolean(let b)): return sign(a ? 1 : 0, b ? 1 : 0)
    case (.string(let a), .string(let b)): return compare(a, b)
    case (.list(let a), .list(let b)): return compare(a, b) { compare($0, $1) }
    default:
      if let a = number(a), let b = number(b), a != b { return sign(a, b) }
      return sign(kind(a), kind(b))
    }
  }

  /// Runs of digits by their number, everything else by its bytes.
  static func compare(_ a: String, _ b: String) -> Int {
    var (x, y) = (Array(a.utf8)[...], Array(b.utf8)[...])
    while let first = x.first, let second = y.first {
      if isDigit(first), isDigit(second) {
        let (m, n) = (takeDigits(&x), takeDigits(&y))
        if m.count != n.count { return sign(m.count, n.count) }
        let digits = compare(m, n) { sign($0, $1) }
        if digits != 0 { return digits }
      } else {
        if first != second { return sign(first, second) }
        x.removeFirst()
        y.removeFirst()
      }
    }
    if x.count != y.count { return sign(x.count, y.count) }
    // Equal but for leading zeros.
    return compare(Array(a.utf8), Array(b.utf8)) { sign($0, $1) }
  }

  private static func compare<Element>(
    _ a: [Element], _ b: [Element], by order: (Element, Element) -> Int
  ) -> Int {
    for (a, b) in zip(a, b) {
      let result = order(a, b)
      if result != 0 { return result }
    }
    return sign(a.count, b.count)
  }

  private static func sign<Value: Comparable>(_ a: Value, _ b: Value) -> Int {
    a < b ? -1 : (a > b ? 1 : 0)
  }

  private static func number(_ value: OptionValue) -> Double? {
    switch value {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }

  private static func kind(_ value: OptionValue) -> Int {
    switch value {
    case .integer: 0
    case .number: 1
    case .boolean: 2
    case .string: 3
    case .list: 4
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  /// The digits at the beginning of `bytes` without leading zeros, taken off it.
  private static func takeDigits(_ bytes: inout ArraySlice<UInt8>) -> [UInt8] {
    let digits = bytes.prefix(while: isDigit)
    bytes = bytes.dropFirst(digits.count)
    return Array(digits.drop { $0 == UInt8(ascii: "0") })
  }
}

/// The order of methods: that of the sweep file, then what it does not name, in natural order.
struct MethodOrder {
  private let places: [String: Int]

  init(_ methods: [String]) {
    places = Dictionary(zip(methods, 0...), uniquingKeysWith: { first, _ in first })
  }

  func precedes(_ a: String, _ b: String) -> Bool {
    switch (places[a], places[b]) {
    case (let a?, let b?): a < b
    case (_?, nil): true
    case (nil, _?): false
    case (nil, nil): NaturalOrder.compare(a, b) < 0
    }
  }
}
