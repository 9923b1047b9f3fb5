import Foundation

/// What an option may hold, and how the words of a sweep file become its values.
package indirect enum OptionType: Hashable, Sendable {
  case integer
  case number
  case boolean
  case string
  /// One of these names.
  case choice([String])
  case list(OptionType)

  /// With its article: `an integer`, `one of sgd, adam`.
  package var description: String {
    switch self {
    case .integer: "an integer"
    case .number: "a number"
    case .boolean: "true or false"
    case .string: "a string"
    case .choice(let names): "one of " + names.joined(separator: ", ")
    case .list(let element): "a list of " + element.plural
    }
  }

  private var plural: String {
    switch self {
    case .integer: "integers"
    case .number: "numbers"
    case .boolean: "true or false"
    case .string: "strings"
    case .choice(let names): names.joined(separator: ", ")
    case .list(let element): "lists of " + element.plural
    }
  }

  /// What `text` means as a value of this type; the type decides, not the form of the text.
  ///
  /// The failure says what is wrong and what would be right.
  package func parse(_ text: String) -> Result<OptionValue, OptionTypeMismatch> {
    switch self {
    case .integer: Self.integer(text)
    case .number: Self.number(text)
    case .boolean:
      switch text {
      case "true": .success(.boolean(true))
      case "false": .success(.boolean(false))
      default: failure("is \(quote(text)); true or false is needed")
      }
    case .string: .success(.string(text))
    case .choice(let names):
      names.contains(text) ? .success(.string(text)) : failure(Self.notOne(of: names, text))
    case .list: failure("is \(quote(text)); \(description) is needed, in brackets")
    }
  }

  /// `value` as a value of this type: integral numbers become integers where those are wanted and
  /// integers become numbers.
  package func conform(_ value: OptionValue) -> Result<OptionValue, OptionTypeMismatch> {
    switch (self, value) {
    case (.integer, .integer), (.boolean, .boolean), (.string, .string): return .success(value)
    case (.number, .integer(let x)): return .success(.number(Double(x)))
    case (.number, .number(let x)) where x.isFinite: return .success(.number(x == 0 ? 0 : x))
    case (.integer, .number(let x)) where x == x.rounded() && abs(x) <= 0x1p53:
      return .success(.integer(Int(x)))
    case (.choice, .string(let text)): return parse(text)
    case (.list(let element), .list(let values)):
      var conforming: [OptionValue] = []
      for (index, value) in values.enumerated() {
        switch element.conform(value) {
        case .success(let value): conforming.append(value)
        case .failure(let mismatch): return failure("item \(index + 1) \(mismatch.problem)")
        }
      }
      return .success(.list(conforming))
    default: return failure("is \(value.text); \(description) is needed")
    }
  }

  private static func integer(_ text: String) -> Result<OptionValue, OptionTypeMismatch> {
    guard let form = NumberForm(text) else {
      return failure(notANumber(text, needed: "an integer"))
    }
    if form.isInteger {
      guard let value = Int(text) else {
        return failure("is \(quote(text)), which is too large for an integer")
      }
      return .success(.integer(value))
    }
    guard let value = Double(text), value == value.rounded(), abs(value) <= 0x1p53 else {
      return failure("is \(quote(text)); an integer is needed")
    }
    return .success(.integer(Int(value)))
  }

  private static func number(_ text: String) -> Result<OptionValue, OptionTypeMismatch> {
    guard NumberForm(text) != nil, let value = Double(text) else {
      return failure(notANumber(text, needed: "a number"))
    }
    guard value.isFinite else { return failure("is \(quote(text)), which is too large a number") }
    return .success(.number(value == 0 ? 0 : value))
  }

  private static func notANumber(_ text: String, needed: String) -> String {
    let digits = text.drop { $0 == "-" || $0 == "+" }
    if digits.count > 1, digits.first == "0", digits.allSatisfy({ $0.isASCII && $0.isNumber }) {
      return "is \(quote(text)): numbers have no leading zeros; "
        + "\(Double(text).map { String(format: "%.0f", $0) } ?? needed) is meant?"
    }
    return "is \(quote(text)); \(needed) is needed"
  }

  private static func notOne(of names: [String], _ text: String) -> String {
    let nearest = nearestName(to: text, in: names).map { "; did you mean \($0)?" } ?? ""
    return "is \(quote(text)), not one of \(names.joined(separator: ", "))\(nearest)"
  }
}

/// Why a value does not fit its type.
package struct OptionTypeMismatch: Error, Hashable, Sendable {
  /// What is wrong and what would be right, to stand behind a name: `is "x"; a number is needed`.
  package let problem: String

  package init(problem: String) {
    self.problem = problem
  }
}

extension OptionValue {
  /// The value as a sweep file would have it.
  package var text: String {
    switch self {
    case .integer(let x): String(x)
    case .number(let x): x == x.rounded() && abs(x) < 1e15 ? String(Int(x)) : "\(x)"
    case .boolean(let x): x ? "true" : "false"
    case .string(let x): x
    case .list(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
    }
  }
}

/// The text in quotation marks, cut when it is long.
private func quote(_ text: String) -> String {
  text.count > 60 ? "\"\(text.prefix(57))...\"" : "\"\(text)\""
}

private func failure<T>(_ problem: String) -> Result<T, OptionTypeMismatch> {
  .failure(OptionTypeMismatch(problem: problem))
}

/// A decimal number as JSON writes it, also with a plus sign and without digits on one side of
/// the point: `1e-3`, `.5`, `5.`; no leading zeros.
private struct NumberForm {
  let isInteger: Bool

  init?(_ text: String) {
    var rest = text.utf8[...]
    func isDigit(_ c: UInt8) -> Bool { (48...57).contains(c) }
    if let sign = rest.first, sign == 43 || sign == 45 { rest = rest.dropFirst() }
    let whole = rest.prefix(while: isDigit)
    rest = rest.dropFirst(whole.count)
    if whole.count > 1, whole.first == 48 { return nil }
    var fraction = 0
    var isInteger = true
    if rest.first == 46 {
      rest = rest.dropFirst()
      fraction = rest.prefix(while: isDigit).count
      rest = rest.dropFirst(fraction)
      isInteger = false
    }
    guard whole.count + fraction > 0 else { return nil }
    if let e = rest.first, e == 69 || e == 101 {
      rest = rest.dropFirst()
      if let sign = rest.first, sign == 43 || sign == 45 { rest = rest.dropFirst() }
      let exponent = rest.prefix(while: isDigit)
      guard !exponent.isEmpty else { return nil }
      rest = rest.dropFirst(exponent.count)
      isInteger = false
    }
    guard rest.isEmpty else { return nil }
    self.isInteger = isInteger
  }
}
