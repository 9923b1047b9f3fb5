import MemoryNets

/// CSV as this program writes it: RFC 4180, lines ending with a line feed.
enum CSVText {
  /// The shortest decimal that reads back as `number`; empty where it is absent or not finite.
  static func field(_ number: Double?) -> String {
    guard let number, number.isFinite else { return "" }
    return "\(number)"
  }

  static func field(_ value: OptionValue) -> String {
    if case .string(let text) = value { return text }
    return JSONText.value(value)
  }

  static func line(_ fields: [String]) -> String {
    fields.map { field in
      let isSpecial = field.unicodeScalars.contains {
        $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r"
      }
      return isSpecial ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
    }.joined(separator: ",") + "\n"
  }
}

/// The searched parameters as columns: known only after all trials have been seen once.
struct ParameterColumns {
  private(set) var paths: [String] = []

  /// Makes room for `parameters`.
  mutating func note(_ parameters: [TrialParameter]) {
    for parameter in parameters where !paths.contains(parameter.path) {
      paths.append(parameter.path)
    }
  }

  /// A field for each column, empty where a trial has no such parameter.
  func fields(_ parameters: [TrialParameter]) -> [String] {
    paths.map { path in
      parameters.first { $0.path == path }.map { CSVText.field($0.value) } ?? ""
    }
  }
}
