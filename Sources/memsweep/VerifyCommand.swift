import ArgumentParser
import MemoryNets
import Sweeps

/// Runs cells on reference files of another program and prints the largest errors.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compares a cell with reference files: outputs and every gradient.",
    discussion: """
      A reference file holds a cell's options, weights, inputs, outputs and gradients as another \
      program computed them; docs/adding-a-cell.md has the format and a recipe for PyTorch.
      """)

  @Argument(help: "Reference files.")
  var files: [String]

  @Option(help: "The largest absolute error that passes.")
  var tolerance = 1e-8

  @Option(help: "double or float.")
  var precision = "double"

  @OptionGroup var execution: ExecutionArguments

  @Flag(help: "One line of JSON.")
  var json = false

  func run() throws {
    guard let precision = Precision(rawValue: precision) else {
      throw Failure("--precision \(self.precision): double or float is possible", .badInput)
    }
    let options = try execution.options()
    var answers: [JSONValue] = []
    var isWithin = true
    for file in files {
      let reference = try CellReference(contentsOf: file)
      let errors = try reference.errors(
        path: file, precision: precision, instructionSet: options.instructionSet,
        disabledPasses: options.disabledPasses)
      let largest = errors.map(\.error).max() ?? 0
      let passes = largest <= tolerance
      isWithin = isWithin && passes
      answers.append(
        .object([
          "file": .string(file), "cell": .string(reference.cell),
          "largest_error": largest.isFinite ? .number(largest) : .null,
          "passes": .boolean(passes),
          "errors": .object(
            Dictionary(
              uniqueKeysWithValues: errors.map {
                ($0.name, $0.error.isFinite ? .number($0.error) : .null)
              })),
        ]))
      guard !json else { continue }
      Terminal.answer("\(file): \(reference.cell), largest error \(largest)\n")
      for (name, error) in errors {
        Terminal.answer(
          "    \(name)  \(error)\(error <= tolerance ? "" : "  past the tolerance")\n")
      }
    }
    if json { Terminal.answer(json: .array(answers)) }
    guard isWithin else {
      throw Failure("an error is larger than \(tolerance)", .internalError)
    }
  }
}
