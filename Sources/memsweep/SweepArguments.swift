import ArgumentParser
import MemoryNets
import Sweeps

/// The arguments of every command that reads a sweep file.
struct SweepArguments: ParsableArguments {
  @Argument(help: "The sweep file.")
  var file: String

  @Argument(
    help: ArgumentHelp(
      "Settings that override the file's: train.learning_rate=1e-3,3e-3 seeds.count=30.",
      valueName: "path=value"))
  var overrides: [String] = []

  @Option(help: "Only these methods, separated by commas.")
  var methods: String?

  @Option(help: "The folder of data sets; without it, MEMSWEEP_DATA.")
  var data: String?

  @OptionGroup var execution: ExecutionArguments

  /// The checked file.
  func load() throws -> SweepSpec {
    try SweepSpec.load(
      path: file, overrides: overrides,
      methods: methods.map { $0.split(separator: ",").map(String.init) },
      vocabulary: .standard(train: TrainOptions()))
  }

  func setup(_ spec: SweepSpec, instructionSet: InstructionSet? = nil) throws -> SweepSetup {
    var options = try execution.options()
    if execution.instructionSet == nil {
      options.instructionSet = instructionSet ?? preferredInstructionSet(spec)
    }
    return SweepSetup(spec, data: .fromEnvironment(argument: data), execution: options)
  }

  /// The instructions with which the sweep was last started, where this processor has them, else the
  /// best there are.
  ///
  /// So a sweep goes on with what it has on a processor, or with a program, that can do more.
  func preferredInstructionSet(_ spec: SweepSpec) -> InstructionSet {
    let record = try? ResultReader(directory: spec.outputDirectory).sweep()
    guard let level = record.flatMap({ SweepSetup.instructionSet(of: $0.numericContract) }),
      InstructionSet.available.contains(level)
    else { return .best }
    return level
  }
}

/// How models are executed.
struct ExecutionArguments: ParsableArguments {
  @Option(
    name: .customLong("no-pass"),
    help: "Switches off a pass of the engine; may be repeated. Part of a trial's identity.")
  var disabledPasses: [String] = []

  @Option(
    help: "The instructions of kernels: baseline, avx2, avx512 or amx; the best unless given.")
  var instructionSet: String?

  func options() throws -> ExecutionOptions {
    var options = ExecutionOptions()
    for name in disabledPasses {
      guard let pass = PlanPass(rawValue: name) else {
        let known = PlanPass.allCases.map(\.rawValue).joined(separator: ", ")
        throw Failure("--no-pass \(name): no such pass; there are \(known)", .badInput)
      }
      options.disabledPasses.insert(pass)
    }
    if let name = instructionSet {
      let known = InstructionSet.available
      guard let level = known.first(where: { $0.rawValue == name }) else {
        let names = known.map(\.rawValue).joined(separator: ", ")
        throw Failure("--instruction-set \(name): this processor has \(names)", .badInput)
      }
      options.instructionSet = level
    }
    return options
  }
}
