import ArgumentParser
import MemoryNets
import Sweeps

/// Prints the JSON Schema of sweep files, for editors.
struct Schema: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints a JSON Schema of sweep files, for editors.")

  @Flag(help: "One line, as this command always prints.")
  var json = false

  func run() {
    let schema = SpecJSONSchema(.standard(train: TrainOptions()))
    Terminal.answer(json: schema.value)
  }
}
