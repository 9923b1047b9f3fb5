/// One option by name: its type and default.
package struct OptionField: Hashable, Sendable {
  /// In snake_case, without its section.
  package let name: String
  package var type: OptionType
  /// The default.
  package var value: OptionValue

  package init(name: String, type: OptionType, value: OptionValue) {
    self.name = name
    self.type = type
    self.value = value
  }
}

/// All that is wrong with a set of values for options.
package struct OptionProblems: Error, Hashable, Sendable, CustomStringConvertible {
  package let problems: [OptionProblem]

  package init(_ problems: [OptionProblem]) {
    self.problems = problems
  }

  /// One line a problem.
  package var description: String {
    problems.map { "\($0.option): \($0.problem)" }.joined(separator: "\n")
  }
}

/// The names, types and defaults of a set of options, in order of declaration.
package struct OptionSchema: Hashable, Sendable {
  package let fields: [OptionField]
  /// Every option at its default.
  package let defaults: OptionDictionary
  private let positions: [String: Int]

  /// Reads the schema off `defaults`.
  package init(defaults: any Options) {
    self.init(fields: OptionEncoder.fields(of: defaults))
  }

  /// Of fields with different names.
  package init(fields: [OptionField]) {
    self.fields = fields
    defaults = OptionDictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.value) })
    positions = Dictionary(uniqueKeysWithValues: fields.indices.map { (fields[$0].name, $0) })
  }

  /// The schema with these names as the only values of an option.
  package func restricting(_ name: String, to choices: [String]) -> OptionSchema {
    OptionSchema(
      fields: fields.map { field in
        var field = field
        if field.name == name { field.type = .choice(choices) }
        return field
      })
  }

  package var names: [String] { fields.map(\.name) }

  package subscript(name: String) -> OptionField? { positions[name].map { fields[$0] } }

  /// What to say of an option that does not exist: the nearest one and all that there are.
  package func unknown(_ name: String) -> OptionProblem {
    OptionProblem(name, "no such option; " + Self.suggestion(for: name, among: names))
  }

  /// `did you mean decay? known are rate, decay`.
  package static func suggestion(for name: String, among names: [String]) -> String {
    if names.isEmpty { return "there are none" }
    let nearest = nearestName(to: name, in: names).map { "did you mean \($0)? " } ?? ""
    return nearest + "known are " + names.joined(separator: ", ")
  }

  /// `values` with the types of the schema and every default filled in.
  package func fill(_ values: OptionDictionary) throws(OptionProblems) -> OptionDictionary {
    var result = defaults
    var problems: [OptionProblem] = []
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      guard let field = self[name] else {
        problems.append(unknown(name))
        continue
      }
      switch field.type.conform(value) {
      case .success(let value): result[name] = value
      case .failure(let mismatch): problems.append(OptionProblem(name, mismatch.problem))
      }
    }
    if !problems.isEmpty { throw OptionProblems(problems) }
    return result
  }
}

/// The options of the type of `defaults` with `values` laid over the defaults.
///
/// Throws every unknown name, wrong type and value out of range at once; ranges are looked at only
/// when names and types are right.
package func decodeOptions<O: Options>(
  _ defaults: O, from values: OptionDictionary
) throws(OptionProblems) -> O {
  let options = try decodeUnvalidatedOptions(defaults, from: values)
  let problems = options.validate()
  if !problems.isEmpty { throw OptionProblems(problems) }
  return options
}

/// Like `decodeOptions`, for defaults whose type is not known where it is called.
package func decodeAnyOptions(
  _ defaults: any Options, from values: OptionDictionary
) throws(OptionProblems) -> any Options {
  try decodeOptions(defaults, from: values)
}

private func decodeUnvalidatedOptions<O: Options>(
  _ defaults: O, from values: OptionDictionary
) throws(OptionProblems) -> O {
  let complete = try OptionSchema(defaults: defaults).fill(values)
  do {
    return try O(from: OptionDecoder(values: complete))
  } catch {
    preconditionFailure("\(O.self) does not decode what it encodes: \(error)")
  }
}
