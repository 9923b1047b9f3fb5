import MemoryNets

/// The words that a sweep file can use: cells, tasks and the options of the training.
package struct SpecVocabulary: Sendable {
  /// The defaults of `train:`.
  package var train: any Options
  package var cells: [CellKind]
  package var tasks: [TaskKind]
  /// The metrics of a split, `accuracy`; empty when any name is taken.
  package var metrics: [String]

  package init(
    train: any Options, cells: [CellKind], tasks: [TaskKind], metrics: [String] = []
  ) {
    self.train = train
    self.cells = cells
    self.tasks = tasks
    self.metrics = metrics
  }

  /// All that the registries hold.
  package static func standard(train: any Options, metrics: [String] = []) -> SpecVocabulary {
    SpecVocabulary(
      train: train, cells: CellRegistry.all, tasks: TaskRegistry.all, metrics: metrics)
  }

  package func cell(named name: String) -> CellKind? { cells.first { $0.name == name } }

  package func task(named name: String) -> TaskKind? { tasks.first { $0.name == name } }
}

/// The sections of a configuration.
package enum SpecSection: String, CaseIterable, Sendable {
  case task, model, train
}

/// The schemas of every section, read off the defaults once.
package struct SpecSchemas: Sendable {
  package let vocabulary: SpecVocabulary
  package let train: OptionSchema
  /// `kind` and nothing else; then the task's own.
  package let taskKind: OptionField
  /// The options of every model, `cell` with its choices.
  package let model: OptionSchema
  private let cells: [String: OptionSchema]
  private let tasks: [String: OptionSchema]

  package init(_ vocabulary: SpecVocabulary) {
    self.vocabulary = vocabulary
    train = OptionSchema(defaults: vocabulary.train)
    let kinds = vocabulary.tasks.map(\.name)
    taskKind = OptionField(name: "kind", type: .choice(kinds), value: .string(kinds.first ?? ""))
    model = OptionSchema(defaults: ModelOptions())
      .restricting("cell", to: vocabulary.cells.map(\.name))
    var cells: [String: OptionSchema] = [:]
    for kind in vocabulary.cells {
      let own = OptionSchema(defaults: kind.defaults)
      let both = Set(own.names).intersection(model.names)
      precondition(both.isEmpty, "\(kind.name) has \(both), which every model has")
      cells[kind.name] = OptionSchema(fields: model.fields + own.fields)
    }
    self.cells = cells
    var tasks: [String: OptionSchema] = [:]
    for kind in vocabulary.tasks {
      let own = OptionSchema(defaults: kind.defaults)
      precondition(own["kind"] == nil, "\(kind.name) has an option named kind")
      tasks[kind.name] = OptionSchema(fields: [taskKind] + own.fields)
    }
    self.tasks = tasks
  }

  /// The options of models with this cell, the cell's own last.
  package func model(cell: String) -> OptionSchema { cells[cell] ?? model }

  /// `kind` and the options of this task.
  package func task(kind: String) -> OptionSchema {
    tasks[kind] ?? OptionSchema(fields: [taskKind])
  }

  /// The cell's own options.
  package func cellNames(_ cell: String) -> [String] {
    let common = Set(model.names)
    return model(cell: cell).names.filter { !common.contains($0) }
  }

  /// Every name that may stand in a section, whatever the cell and the task.
  package func names(in section: SpecSection) -> [String] {
    let all =
      switch section {
      case .train: train.names
      case .model: model.names + vocabulary.cells.flatMap { cellNames($0.name) }
      case .task: ["kind"] + vocabulary.tasks.flatMap { task(kind: $0.name).names }
      }
    var seen: Set<String> = []
    return all.filter { seen.insert($0).inserted }
  }

  /// The types that an option may have, by whichever cell or task has it.
  package func types(of name: String, in section: SpecSection) -> [OptionType] {
    let schemas: [OptionSchema] =
      switch section {
      case .train: [train]
      case .model: [model] + vocabulary.cells.map { model(cell: $0.name) }
      case .task: vocabulary.tasks.map { task(kind: $0.name) }
      }
    var types: [OptionType] = []
    for type in schemas.compactMap({ $0[name]?.type }) where !types.contains(type) {
      types.append(type)
    }
    return types
  }
}
