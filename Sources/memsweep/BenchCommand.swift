import ArgumentParser

/// Times the parts of memsweep.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Times the parts of memsweep.",
    subcommands: [BenchCell.self, BenchKernel.self, BenchLanguageModel.self])
}
