import MemoryNets

/// The options of a trial as the types of the engine.
package struct DecodedConfiguration: Sendable {
  package let task: TaskKind
  package let taskOptions: any Options
  package let model: ModelOptions
  package let cell: CellKind
  package let cellOptions: any Options
  /// Of the type of the vocabulary's `train`.
  package let train: any Options
}

extension SpecVocabulary {
  /// The options of a configuration; problems are named by path: `model.hidden_size`.
  package func decode(
    _ configuration: TrialConfiguration
  ) throws(OptionProblems) -> DecodedConfiguration {
    try SpecSchemas(self).decode(
      ResolvedSections(
        task: configuration.task, model: configuration.model, train: configuration.train))
  }
}

extension SpecSchemas {
  func decode(_ sections: ResolvedSections) throws(OptionProblems) -> DecodedConfiguration {
    guard case .string(let kind)? = sections.task["kind"],
      let task = vocabulary.task(named: kind)
    else { throw OptionProblems([OptionProblem("task.kind", "names no task")]) }
    guard case .string(let name)? = sections.model["cell"],
      let cell = vocabulary.cell(named: name)
    else { throw OptionProblems([OptionProblem("model.cell", "names no cell")]) }
    let common = Set(model.names)
    var problems: [OptionProblem] = []
    func part(_ defaults: any Options, _ section: SpecSection, _ values: OptionDictionary)
      -> any Options
    {
      do throws(OptionProblems) {
        return try decodeAnyOptions(defaults, from: values)
      } catch {
        problems += error.problems.map {
          OptionProblem("\(section.rawValue).\($0.option)", $0.problem)
        }
        return defaults
      }
    }
    let taskOptions = part(task.defaults, .task, sections.task.filter { $0.key != "kind" })
    let model = part(ModelOptions(), .model, sections.model.filter { common.contains($0.key) })
    let cellOptions = part(
      cell.defaults, .model, sections.model.filter { !common.contains($0.key) })
    let train = part(vocabulary.train, .train, sections.train)
    guard problems.isEmpty, let model = model as? ModelOptions else {
      throw OptionProblems(problems)
    }
    return DecodedConfiguration(
      task: task, taskOptions: taskOptions, model: model, cell: cell, cellOptions: cellOptions,
      train: train)
  }
}
