import MemoryNets

/// The JSON Schema of sweep files, for editors.
///
/// It knows names, types, choices and defaults; what depends on several places of a file is only
/// found by `memsweep check`.
package struct SpecJSONSchema {
  private let schemas: SpecSchemas

  package init(_ vocabulary: SpecVocabulary) {
    schemas = SpecSchemas(vocabulary)
  }

  /// The schema in draft 2020-12, on one line.
  package var text: String { value.text }

  package var value: JSONValue {
    .object([
      "$schema": .string("https://json-schema.org/draft/2020-12/schema"),
      "title": .string("memsweep sweep file"),
      "type": .string("object"),
      "additionalProperties": .boolean(false),
      "required": .array([.string("memsweep")]),
      "properties": .object(properties),
      "$defs": .object([
        "configuration": configuration, "dimension": Self.dimension, "condition": Self.condition,
        "parameters": parameters, "method": method,
      ]),
    ])
  }

  private var properties: [String: JSONValue] {
    let known: [(String, JSONValue, String)] = [
      (
        "memsweep", .object(["const": .integer(SweepSpec.schemaVersion)]),
        "The version of the file format."
      ),
      (
        "name", .object(["type": .string("string")]), "Names the output folder and the only method."
      ),
      ("task", task, "The task of every trial: its kind and its options."),
      ("base", Self.reference("configuration"), "Constants of every trial."),
      (
        "methods",
        .object([
          "type": .string("object"), "minProperties": .integer(1),
          "additionalProperties": Self.reference("method"),
        ]), "The rows of the table: what each fixes and varies."
      ),
      ("parameters", Self.reference("parameters"), "Dimensions crossed with the methods."),
      (
        "zip",
        Self.list(
          .object(["type": .string("object"), "additionalProperties": Self.nonEmptyList])),
        "Dimensions that go together, with lists of equal length."
      ),
      ("exclude", Self.list(Self.reference("condition")), "Combinations that are left out."),
      ("seeds", section(SeedSettings()), "The seeds of every configuration."),
      ("metric", metric, "What trials are measured by."),
      (
        "search", section(SearchSettings(), choices: ["method": SearchRegistry.names]),
        "How the combinations are gone through."
      ),
      ("resources", section(ResourceSettings()), "What a trial may use."),
      (
        "data_parallel", section(DataParallelSettings()), "How the ranks of a trial share a batch."
      ),
      ("retry", section(RetrySettings()), "How often a trial is tried again."),
      ("checkpoint", checkpoint, "When state is written and what is kept."),
      ("output", section(OutputSettings()), "Where results go; runs/NAME if left out."),
    ]
    return Dictionary(uniqueKeysWithValues: known.map { ($0.0, Self.described($0.1, $0.2)) })
  }

  // MARK: - Sections

  private func section(
    _ defaults: any Options, choices: [String: [String]] = [:], without hidden: Set<String> = []
  ) -> JSONValue {
    var schema = OptionSchema(defaults: defaults)
    for (name, names) in choices { schema = schema.restricting(name, to: names) }
    return Self.object(
      Dictionary(
        uniqueKeysWithValues: schema.fields.map {
          ($0.name, hidden.contains($0.name) ? Self.type($0.type) : Self.option($0))
        }))
  }

  private var metric: JSONValue { section(MetricSettings(), without: ["target"]) }

  private var checkpoint: JSONValue {
    Self.object([
      "every": Self.option(OptionSchema(defaults: CheckpointSettings()).fields[0]),
      "keep": section(KeepSettings()),
    ])
  }

  /// One alternative for each kind, so that editors offer the options of the kind written.
  private var task: JSONValue {
    let kinds = schemas.vocabulary.tasks
    let rules = kinds.map { kind in
      JSONValue.object([
        "if": .object([
          "properties": .object(["kind": .object(["const": .string(kind.name)])]),
          "required": .array([.string("kind")]),
        ]),
        "then": Self.object(
          Dictionary(
            uniqueKeysWithValues: schemas.task(kind: kind.name).fields.map {
              ($0.name, $0.name == "kind" ? Self.constant(kind) : Self.option($0))
            })),
      ])
    }
    var task: [String: JSONValue] = [
      "type": .string("object"),
      "properties": .object([
        "kind": .object(["enum": .array(kinds.map { .string($0.name) })])
      ]),
    ]
    if !rules.isEmpty { task["allOf"] = .array(rules) }
    return .object(task)
  }

  private static func constant(_ kind: TaskKind) -> JSONValue {
    .object(["const": .string(kind.name), "description": .string(kind.summary)])
  }

  /// `task`, `model` and `train` with any option that some kind or cell has.
  private var configuration: JSONValue {
    var properties: [String: JSONValue] = [:]
    for section in SpecSection.allCases { properties[section.rawValue] = options(in: section) }
    return .object([
      "type": .string("object"), "properties": .object(properties),
      "patternProperties": .object([Self.pathPattern: .boolean(true)]),
      "additionalProperties": .boolean(false),
    ])
  }

  private func options(in section: SpecSection) -> JSONValue {
    var properties: [String: JSONValue] = [:]
    for name in schemas.names(in: section) {
      let types = schemas.types(of: name, in: section).map(Self.type)
      var option: [String: JSONValue] = ["anyOf": .array(types + [Self.reference("dimension")])]
      if section == .train, let field = schemas.train[name] {
        option["default"] = JSONValue(field.value)
      }
      if section == .model, let field = schemas.model[name] {
        option["default"] = JSONValue(field.value)
      }
      if section == .model, name == "cell" {
        let cells = schemas.vocabulary.cells.map { "\($0.name): \($0.summary)" }
        option["description"] = .string(cells.joined(separator: "\n"))
      }
      properties[name] = .object(option)
    }
    return Self.object(properties)
  }

  private var method: JSONValue {
    guard case .object(var method) = configuration,
      case .object(var properties)? = method["properties"]
    else { return .boolean(true) }
    properties["parameters"] = Self.reference("parameters")
    properties["resources"] = section(MethodResources())
    method["properties"] = .object(properties)
    return .object(method)
  }

  private var parameters: JSONValue {
    guard case .object(var parameters) = configuration else { return .boolean(true) }
    let value = JSONValue.object([
      "anyOf": .array([Self.reference("dimension"), Self.scalar])
    ])
    parameters["patternProperties"] = .object([Self.pathPattern: value])
    return .object(parameters)
  }

  // MARK: - Pieces

  private static let pathPattern = "^(task|model|train)\\.[a-z0-9_]+$"
  private static let scalar = JSONValue.object([
    "type": .array(["string", "number", "boolean"].map(JSONValue.string))
  ])
  private static let nonEmptyList = JSONValue.object([
    "type": .string("array"), "minItems": .integer(1),
  ])
  private static let condition = JSONValue.object([
    "type": .string("object"), "minProperties": .integer(1),
    "description": .string("Paths with the value, or one of the values, that they must have."),
  ])

  private static var dimension: JSONValue {
    let pair = numbers(2)
    let alternatives: [(String, JSONValue)] = [
      ("values", nonEmptyList), ("uniform", pair), ("log_uniform", pair), ("integers", pair),
      ("range", numbers(3)),
    ]
    return .object([
      "oneOf": .array(
        alternatives.map { name, value in
          .object([
            "type": .string("object"), "required": .array([.string(name)]),
            "additionalProperties": .boolean(false),
            "properties": .object([name: value, "when": reference("condition")]),
          ])
        })
    ])
  }

  private static func numbers(_ count: Int) -> JSONValue {
    .object([
      "type": .string("array"), "items": .object(["type": .string("number")]),
      "minItems": .integer(count), "maxItems": .integer(count),
    ])
  }

  private static func option(_ field: OptionField) -> JSONValue {
    guard case .object(var entries) = type(field.type) else { return .boolean(true) }
    entries["default"] = JSONValue(field.value)
    return .object(entries)
  }

  private static func type(_ type: OptionType) -> JSONValue {
    switch type {
    case .integer: .object(["type": .string("integer")])
    case .number: .object(["type": .string("number")])
    case .boolean: .object(["type": .string("boolean")])
    // A string may be written as a number: `crash: 2`.
    case .string: .object(["type": .array(["string", "number"].map(JSONValue.string))])
    case .choice(let names): .object(["enum": .array(names.map(JSONValue.string))])
    case .list(let element): list(Self.type(element))
    }
  }

  private static func list(_ element: JSONValue) -> JSONValue {
    .object(["type": .string("array"), "items": element])
  }

  private static func object(_ properties: [String: JSONValue]) -> JSONValue {
    .object([
      "type": .string("object"), "additionalProperties": .boolean(false),
      "properties": .object(properties),
    ])
  }

  private static func reference(_ name: String) -> JSONValue {
    .object(["$ref": .string("#/$defs/\(name)")])
  }

  private static func described(_ value: JSONValue, _ description: String) -> JSONValue {
    guard case .object(var entries) = value else { return value }
    entries["description"] = .string(description)
    return .object(entries)
  }
}
