import ArgumentParser
import MemoryNets

/// Writes a corpus of a made-up language.
struct SynthesizeCorpus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "synthesize",
    abstract: "Writes a corpus of a made-up language whose entropy is known.",
    discussion: """
      Words follow Zipf's law and have a few likely successors each; the least loss that a model can \
      reach is stated in the corpus and printed beside results.
      """)

  @Option(name: .shortAndLong, help: "The corpus file to write.")
  var output: String

  @Option(help: "Tokens to train on, rounded up to multiples of 65536.")
  var tokens = 1 << 20

  @Option(help: "Tokens to validate and as many to test on, rounded up likewise.")
  var evaluationTokens = 1 << 16

  @Option(help: "Words of the language.")
  var words = 10_000

  @Option(help: "Another seed gives another language.")
  var seed = 1

  @Flag(help: "One line of JSON.")
  var json = false

  func validate() throws {
    for (name, value) in [
      ("tokens", tokens), ("evaluation-tokens", evaluationTokens), ("words", words),
    ] where value < 1 {
      throw ValidationError("--\(name) is \(value); at least 1 is needed")
    }
    guard words <= 10_000_000 else {
      throw ValidationError("--words is \(words); at most 10000000 are possible")
    }
  }

  func run() throws {
    var corpus = SyntheticCorpus()
    (corpus.tokens, corpus.evaluationTokens, corpus.words) = (tokens, evaluationTokens, words)
    corpus.seed = UInt64(bitPattern: Int64(seed))
    _ = try writing(output) { try corpus.write(to: output) }
    try CorpusText(Corpus(path: output)).print(json: json)
  }
}
