/// A resolved value of an option: what a scalar of the sweep file means to the schema.
package enum OptionValue: Hashable, Sendable {
  case integer(Int)
  case number(Double)
  case boolean(Bool)
  case string(String)
  case list([OptionValue])
}

/// The options of one section (`task`, `model`, `train`), by their snake_case names.
package typealias OptionDictionary = [String: OptionValue]

/// A set of named options with defaults: a plain struct of `Int`, `Double`, `Bool`, `String`,
/// arrays of these and string enums that are `CaseIterable`, every property with a default.
///
/// Names, types and defaults are read off `Self()` by encoding it; the YAML key of `hiddenSize`
/// is `hidden_size`.
package protocol Options: Codable, Sendable {
  init()

  /// The values that are out of range, each with what would be right. Empty when all is well.
  func validate() -> [OptionProblem]
}

extension Options {
  package func validate() -> [OptionProblem] { [] }
}

/// One option whose value cannot be used.
package struct OptionProblem: Error, Hashable, Sendable {
  /// The snake_case name of the option, without its section.
  package let option: String
  /// What is wrong and what would be right: `is 0; at least 1 is needed`.
  package let problem: String

  package init(_ option: String, _ problem: String) {
    self.option = option
    self.problem = problem
  }
}
