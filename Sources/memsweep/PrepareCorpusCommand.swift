import ArgumentParser
import MemoryNets
import Sweeps

/// Turns texts into a corpus.
struct PrepareCorpus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prepare", abstract: "Turns texts into a corpus file.",
    discussion: """
      Texts are files of UTF-8, or all files of folders and tar archives that end with .txt, .md or \
      .markdown; each may be packed with gzip or zstd. Every line ends with an <eos>. They are read \
      three times, in pieces.
      """)

  @Argument(help: "Files and folders.")
  var texts: [String]

  @Option(name: .shortAndLong, help: "The corpus file to write.")
  var output: String

  @Option(help: "What a token is: words (between white space) or characters.")
  var tokens = TokenUnit.words

  @Option(help: "What divides texts: share (the last lines of each) or names (train, valid, test).")
  var split = SplitRule.share

  @Option(help: "The part of every text's lines that validates.")
  var validationShare = CorpusOptions().validationShare

  @Option(help: "The part of every text's lines that tests.")
  var testShare = CorpusOptions().testShare

  @Option(help: "Words that the training texts have less often are <unk>.")
  var minimumCount = CorpusOptions().minimumCount

  @Option(help: "The most words, <unk> and <eos> among them; 0 is no limit.")
  var maximumVocabulary = CorpusOptions().maximumVocabulary

  @Option(help: "A corpus whose words are taken instead of counting.")
  var vocabulary: String?

  @Flag(help: "One line of JSON.")
  var json = false

  func validate() throws {
    let problems = options.validate().map {
      "--\($0.option.replacing("_", with: "-")) \($0.problem)"
    }
    guard problems.isEmpty else { throw ValidationError(problems.joined(separator: "\n")) }
  }

  private var options: CorpusOptions {
    var options = CorpusOptions()
    (options.tokens, options.split) = (tokens, split)
    (options.validationShare, options.testShare) = (validationShare, testShare)
    (options.minimumCount, options.maximumVocabulary) = (minimumCount, maximumVocabulary)
    return options
  }

  func run() throws {
    let given = try vocabulary.map { try Corpus(path: $0) }
    if let given, given.unit != tokens {
      throw Failure(
        "--vocabulary \(given.path): it is of \(given.unit.rawValue), and the tokens are "
          + "\(tokens.rawValue); --tokens \(given.unit.rawValue) is possible", .badInput)
    }
    let builder = CorpusBuilder(options, vocabulary: try given?.vocabulary())
    let files = try TextFiles(texts)
    let leftOut = try writing(output) { try builder.write(files, to: output) }
    for name in leftOut { Terminal.note("\(name): left out, its name tells no split") }
    try CorpusText(Corpus(path: output)).print(json: json)
  }
}

extension TokenUnit: ExpressibleByArgument {}
extension SplitRule: ExpressibleByArgument {}

/// Runs what writes the file at `path`, and says it plainly where the system refuses.
func writing<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let error as FileSystemError {
    throw Failure("\(path): cannot be written: \(error.reason)", .directoryUnusable)
  }
}
