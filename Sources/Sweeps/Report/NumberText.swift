import Foundation
import MemoryNets

/// Numbers as people read them in a table; exact values come from the export.
package enum NumberText {
  package static let absent = "-"

  /// A metric: four decimals near one, fewer for large numbers, three digits for very small ones.
  package static func metric(_ number: Double?) -> String {
    guard let number, number.isFinite else { return absent }
    let size = abs(number)
    if size != 0, size < 0.001 { return String(format: "%.2e", number) }
    if size < 10 { return String(format: "%.4f", number) }
    if size < 100 { return String(format: "%.3f", number) }
    if size < 1000 { return String(format: "%.2f", number) }
    return size < 1e7 ? String(format: "%.1f", number) : String(format: "%.3e", number)
  }

  package static func interval(_ interval: ClosedRange<Double>?) -> String {
    guard let interval else { return absent }
    return "[\(metric(interval.lowerBound)), \(metric(interval.upperBound))]"
  }

  package static func whole(_ number: Double?) -> String {
    guard let number, number.isFinite else { return absent }
    return String(format: "%.0f", number)
  }

  /// Three digits or a little more: `0.42`, `12.3`, `4567`.
  package static func seconds(_ number: Double?) -> String {
    guard let number, number.isFinite else { return absent }
    if number < 10 { return String(format: "%.2f", number) }
    return String(format: number < 100 ? "%.1f" : "%.0f", number)
  }

  /// The value of a setting: `50`, `0.001`, `lstm`.
  package static func value(_ value: OptionValue) -> String {
    switch value {
    case .integer(let integer): "\(integer)"
    case .number(let number):
      number.magnitude < 1e15 && number == number.rounded()
        ? String(format: "%.0f", number) : "\(number)"
    case .boolean(let boolean): boolean ? "true" : "false"
    case .string(let text): text
    case .list(let values): values.map { self.value($0) }.joined(separator: " ")
    }
  }
}
