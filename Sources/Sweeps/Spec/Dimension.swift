import Foundation
import MemoryNets

/// A value as it was written, whose meaning is for the schema to say.
package struct SpecValue: Sendable {
  package enum Content: Hashable, Sendable {
    case text(String)
    case list([String])
  }

  package var place: SpecPlace
  package var content: Content

  /// The value as it was written.
  package var text: String {
    switch content {
    case .text(let text): text
    case .list(let items): "[" + items.joined(separator: ", ") + "]"
    }
  }

  /// What it means as a value of `type`.
  func resolve(as type: OptionType) -> Result<OptionValue, OptionTypeMismatch> {
    switch (content, type) {
    case (.text(let text), .list(let element)):
      // The command line has no brackets: one value is a list of one.
      guard case .commandLine = place else { return type.parse(text) }
      return element.parse(text).map { .list([$0]) }
    case (.text(let text), _): return type.parse(text)
    case (.list(let items), .list(let element)):
      var values: [OptionValue] = []
      for (index, item) in items.enumerated() {
        switch element.parse(item) {
        case .success(let value): values.append(value)
        case .failure(let mismatch):
          return .failure(OptionTypeMismatch(problem: "item \(index + 1) \(mismatch.problem)"))
        }
      }
      return .success(.list(values))
    case (.list, _):
      return .failure(
        OptionTypeMismatch(
          problem: "is a list; \(type.description) is needed, or {values: [...]} for a dimension"))
    }
  }
}

/// The values that a dimension can take.
package enum Domain: Sendable {
  case values([SpecValue])
  /// From the first to the second, the second not included.
  case uniform(Double, Double)
  /// As `uniform`, in the logarithm.
  case logUniform(Double, Double)
  /// Both included.
  case integers(Int, Int)
  /// First, last (included if it is met) and step.
  case range(Double, Double, Double)

  /// The operator's name in the sweep file.
  package var name: String {
    switch self {
    case .values: "values"
    case .uniform: "uniform"
    case .logUniform: "log_uniform"
    case .integers: "integers"
    case .range: "range"
    }
  }

  static let names = ["values", "uniform", "log_uniform", "integers", "range"]

  /// The number of values, nil for an interval.
  package var count: Int? {
    switch self {
    case .values(let values): values.count
    case .uniform, .logUniform: nil
    case .integers(let first, let last): last - first + 1
    case .range(let first, let last, let step):
      Int(((last - first) / step + 1e-9).rounded(.down)) + 1
    }
  }

  /// Value number `index`, counted from 0, of a domain that has a count.
  func value(_ index: Int, at place: SpecPlace) -> SpecValue {
    switch self {
    case .values(let values): values[index]
    case .uniform(let first, _), .logUniform(let first, _):
      SpecValue(place: place, content: .text("\(first)"))
    case .integers(let first, _): SpecValue(place: place, content: .text(String(first + index)))
    case .range(let first, _, let step):
      // Twelve digits hide the rounding of 0.1 + 2 * 0.1.
      SpecValue(
        place: place, content: .text(String(format: "%.12g", first + Double(index) * step)))
    }
  }

  /// A value drawn uniformly.
  func draw(_ stream: inout PhiloxStream, at place: SpecPlace) -> SpecValue {
    switch self {
    case .values, .integers, .range:
      return value(stream.integer(below: count ?? 1), at: place)
    case .uniform(let first, let last):
      let value = min(first + (last - first) * stream.uniform(), last.nextDown)
      return SpecValue(place: place, content: .text("\(value)"))
    case .logUniform(let first, let last):
      let exponent = log(first) + (log(last) - log(first)) * stream.uniform()
      let value = min(max(exp(exponent), first), last.nextDown)
      return SpecValue(place: place, content: .text("\(value)"))
    }
  }

  /// Values that stand for all when a configuration is checked before the run.
  func samples(at place: SpecPlace) -> [SpecValue] {
    switch self {
    case .values(let values): return values
    case .uniform(_, let last), .logUniform(_, let last):
      return [
        value(0, at: place), SpecValue(place: place, content: .text("\(last.nextDown)")),
      ]
    case .integers, .range:
      return Set([0, (count ?? 1) - 1]).sorted().map { value($0, at: place) }
    }
  }

  /// For `plan`: `1e-3, 3e-3` or `log_uniform 0.0001 to 0.1`.
  package var summary: String {
    switch self {
    case .values(let values): values.map(\.text).joined(separator: ", ")
    case .uniform(let first, let last), .logUniform(let first, let last):
      "\(name) \(first) to \(last)"
    case .integers(let first, let last): "\(first) to \(last)"
    case .range(let first, let last, let step): "\(first) to \(last) by \(step)"
    }
  }
}

/// One path of the configuration and its possible values.
package struct Dimension: Sendable {
  /// `model.hidden_size`.
  package let path: String
  package let place: SpecPlace
  package var domain: Domain
  /// When the dimension exists; always if empty.
  package var when: Condition
}

/// Values that some paths must have, all of them.
package struct Condition: Sendable {
  package struct Clause: Sendable {
    package let path: String
    package let place: SpecPlace
    /// Any of these.
    package let values: [SpecValue]
  }

  package var clauses: [Clause]
  package var place: SpecPlace

  package var isAlways: Bool { clauses.isEmpty }
}

/// What is crossed with the others: one dimension, or several that go together.
package struct Factor: Sendable {
  package let dimensions: [Dimension]

  /// The number of values, nil for an interval.
  ///
  /// Dimensions of a `zip` have equally many.
  package var count: Int? { dimensions.first?.domain.count }
}
