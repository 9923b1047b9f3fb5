import ArgumentParser
import MemoryNets
import Sweeps

/// Lists what a sweep file can name, with options and defaults.
struct List: ParsableCommand {
  enum Registry: String, ExpressibleByArgument, CaseIterable {
    case cells, tasks, optimizers, searches
  }

  static let configuration = CommandConfiguration(
    abstract: "Lists cells, tasks, optimizers or searches with their options.")

  @Argument(help: "cells, tasks, optimizers or searches.")
  var registry: Registry

  @Flag(help: "One line of JSON.")
  var json = false

  func run() {
    let vocabulary = SpecVocabulary.standard(train: TrainOptions())
    let entries =
      switch registry {
      case .cells: vocabulary.cellList
      case .tasks: vocabulary.taskList
      case .optimizers: vocabulary.optimizerList
      case .searches: vocabulary.searchList
      }
    if json {
      Terminal.answer(json: .array(entries.map(\.json)))
    } else {
      Terminal.answer(entries.map(text).joined(separator: "\n"))
    }
  }

  private func text(_ entry: VocabularyEntry) -> String {
    let width = entry.options.map(\.name.count).max() ?? 0
    let lines = entry.options.map { field in
      let name = field.name.padding(toLength: width, withPad: " ", startingAt: 0)
      let choices = field.type.choices.map { " of \($0.joined(separator: ", "))" } ?? ""
      return "    \(name)  \(field.value.text)  (\(field.type.name)\(choices))\n"
    }
    return "\(entry.name): \(entry.summary)\n" + lines.joined()
  }
}
