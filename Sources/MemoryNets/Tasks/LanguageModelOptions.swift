/// The options of `language_model`.
package struct LanguageModelOptions: Options {
  /// The text.
  ///
  /// `ptb` or `ptb_characters` of the data folder, or a file that `memsweep data` wrote; a relative
  /// path counts from the data folder, or without one from the current folder.
  package var corpus = "ptb"
  /// Steps of a piece of truncated back-propagation.
  package var unroll = 20
  /// What the loss that is minimised is a mean over: `sequences` of the sums over a piece, or
  /// `answers`.
  package var lossMean = TaskShape.LossMean.answers
  /// Whether every epoch begins at another place of the text, which is read in a circle.
  package var rotate = true
  /// Parts of the validation text that are read side by side, each from an empty state.
  package var validationStreams = 16
  /// Parts of the test text that are read side by side, each from an empty state; 1 reads it as one.
  package var testStreams = 1

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems: [OptionProblem] = []
    for (name, value) in [
      ("unroll", unroll), ("validation_streams", validationStreams), ("test_streams", testStreams),
    ] where !(1...100_000 ~= value) {
      problems.append(OptionProblem(name, "is \(value); 1 to 100000 are possible"))
    }
    if corpus.isEmpty {
      problems.append(
        OptionProblem("corpus", "is empty; ptb, ptb_characters or a corpus file is needed"))
    }
    return problems
  }

  /// The texts that have a name of their own.
  private static let named = ["ptb": TokenUnit.words, "ptb_characters": .characters]

  /// Opens the corpus.
  package func open(in folder: DataFolder) throws -> Corpus {
    if let unit = Self.named[corpus] { return try PennTreebank.read(unit, from: folder) }
    let path = corpus.hasPrefix("/") ? corpus : (folder.path.map { $0 + "/" } ?? "") + corpus
    return try Corpus(path: path)
  }
}
