import MemoryNets

/// One cell, task, section or search for `memsweep list`.
package struct VocabularyEntry: Hashable, Sendable {
  package let name: String
  package let summary: String
  package let options: [OptionField]

  /// `{"name": ..., "options": [{"name": ..., "type": ..., "default": ...}], "summary": ...}`.
  package var json: JSONValue {
    .object([
      "name": .string(name), "summary": .string(summary),
      "options": .array(
        options.map { field in
          .object([
            "name": .string(field.name), "type": .string(field.type.name),
            "values": field.type.choices.map { .array($0.map(JSONValue.string)) } ?? .null,
            "default": JSONValue(field.value),
          ])
        }),
    ])
  }
}

extension SpecVocabulary {
  /// The cells with their own options.
  package var cellList: [VocabularyEntry] {
    cells.map {
      VocabularyEntry(
        name: $0.name, summary: $0.summary, options: OptionSchema(defaults: $0.defaults).fields)
    }
  }

  /// The tasks with their options.
  package var taskList: [VocabularyEntry] {
    tasks.map {
      VocabularyEntry(
        name: $0.name, summary: $0.summary, options: OptionSchema(defaults: $0.defaults).fields)
    }
  }

  /// The optimizers: the choices of `train.optimizer`, each with the options of the training.
  package var optimizerList: [VocabularyEntry] {
    let fields = OptionSchema(defaults: train).fields
    let choices = fields.first { $0.name == "optimizer" }?.type.choices ?? []
    return choices.map {
      VocabularyEntry(
        name: $0, summary: "optimizer: \($0) under train:",
        options: fields.filter { $0.name != "optimizer" })
    }
  }

  /// The searches with the settings of `search:`.
  package var searchList: [VocabularyEntry] {
    let fields = OptionSchema(defaults: SearchSettings()).fields.filter { $0.name != "method" }
    return SearchRegistry.all.map {
      VocabularyEntry(
        name: $0.name, summary: $0.summary, options: $0.name == "random" ? fields : [])
    }
  }
}

extension OptionType {
  /// One word: `integer`, `choice`, `list of integer`.
  package var name: String {
    switch self {
    case .integer: "integer"
    case .number: "number"
    case .boolean: "boolean"
    case .string: "string"
    case .choice: "choice"
    case .list(let element): "list of \(element.name)"
    }
  }

  /// The names to choose from, also of the elements of a list.
  package var choices: [String]? {
    switch self {
    case .choice(let names): names
    case .list(let element): element.choices
    default: nil
    }
  }
}
