import ArgumentParser

/// Finds out which memory makes a recurrent net remember.
@main struct Memsweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memsweep", abstract: "Finds out which memory makes a recurrent net remember.",
    subcommands: [Bench.self])
}
