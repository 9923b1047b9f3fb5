import ArgumentParser

/// Makes corpora and shows them.
struct DataTools: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Makes corpora for language models, and shows what is in them.",
    subcommands: [PrepareCorpus.self, SynthesizeCorpus.self, ShowCorpus.self])
}
