/// By what rule texts are divided into splits.
package enum SplitRule: String, Codable, CaseIterable, Sendable {
  /// Of every text the last lines, by `test_share` and, before them, `validation_share`.
  case share
  /// A text whose name holds `train`, `valid` (`validation`, `val`, `dev`) or `test` as a word goes there,
  /// others are left out.
  case names
}

/// How texts become a corpus.
package struct CorpusOptions: Options {
  package var tokens = TokenUnit.words
  package var split = SplitRule.share
  package var validationShare = 0.05
  package var testShare = 0.05
  /// Words that the training texts have less often are `<unk>`.
  package var minimumCount = 1
  /// The most words of a vocabulary, `<unk>` and `<eos>` among them; 0 is no limit.
  package var maximumVocabulary = 0

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems: [OptionProblem] = []
    for (name, share) in [("validation_share", validationShare), ("test_share", testShare)]
    where !(0..<1 ~= share) {
      problems.append(OptionProblem(name, "is \(share); 0 up to, not including, 1 is possible"))
    }
    if problems.isEmpty, validationShare + testShare >= 1 {
      problems.append(
        OptionProblem(
          "test_share",
          "is \(testShare) and validation_share \(validationShare): they must leave "
            + "something to train on"))
    }
    if minimumCount < 1 {
      problems.append(
        OptionProblem("minimum_count", "is \(minimumCount); at least 1 is needed"))
    }
    if maximumVocabulary != 0, maximumVocabulary < 3 {
      problems.append(
        OptionProblem(
          "maximum_vocabulary",
          "is \(maximumVocabulary); at least 3 is needed, or 0 for no limit"))
    }
    return problems
  }
}

/// Makes a corpus out of texts, in two or three readings of them: lines, words, tokens.
///
/// Memory holds the different words of the training texts and half a megabyte a split.
package struct CorpusBuilder {
  private let options: CorpusOptions
  private let given: Vocabulary?

  /// With the words of `vocabulary` where one is given.
  package init(_ options: CorpusOptions, vocabulary: Vocabulary? = nil) {
    self.options = options
    given = vocabulary
  }

  /// The corpus of `texts` in memory.
  package func corpus(of texts: some TextSource, path: String) throws -> Corpus {
    let plan = try plan(of: texts)
    let storage = CorpusStorage(byteCount: plan.header.fileBytes)
    _ = try write(texts, plan) { storage.write($0, at: $1) }
    return try Corpus(storage, path: path)
  }

  /// Writes the corpus of `texts` to a file, whole or not at all; gives the names of texts that were left
  /// out, for they tell no split.
  @discardableResult
  package func write(
    _ texts: some TextSource, to path: String, fileSystem: some FileSystem = DiskFileSystem()
  ) throws -> [String] {
    let plan = try plan(of: texts)
    try fileSystem.replaceFile(at: path) { try self.write(texts, plan, $0) }
    return plan.leftOut
  }

  /// What is known once all has been read: words, sizes and where a text's splits begin.
  private struct Plan {
    var header: CorpusHeader
    var vocabulary: Vocabulary
    var splits: SplitLines
    var types: TypeTable
    /// By word of `types`, its token.
    var tokens: [Int32]
    var leftOut: [String]
  }

  private func plan(of texts: some TextSource) throws -> Plan {
    var lines = LineCounter()
    if options.split == .share { try texts.read(&lines) }
    let splits = SplitLines(options, lines: lines.counts)
    var empty = TokenCounter(splits)
    for word in given?.words ?? [] { empty.know(word) }
    var reading = TokenizedTexts(options.tokens, empty)
    try texts.read(&reading)
    let counter = reading.consumer
    guard counter.counts[DataSplit.train.position] > 0 else {
      throw TaskError.unusableText(
        path: "the texts", problem: "hold nothing to train on",
        remedy: options.split == .names
          ? "splits go by names: one must hold the word train" : "name others")
    }
    let vocabulary = vocabulary(of: counter)
    var tokens = [Int32](repeating: Vocabulary.unknownToken, count: counter.types.count)
    for (token, word) in vocabulary.words.enumerated() {
      if let type = counter.types.index(of: word) { tokens[type] = Int32(token) }
    }
    let header = CorpusHeader(
      unit: options.tokens, vocabularySize: vocabulary.count,
      vocabularyBytes: vocabulary.text.count, tokens: { counter.counts[$0.position] })
    return Plan(
      header: header, vocabulary: vocabulary, splits: splits, types: counter.types,
      tokens: tokens, leftOut: counter.leftOut)
  }

  /// The words of the training texts by count, as many as the options allow, or the given ones.
  private func vocabulary(of counter: TokenCounter) -> Vocabulary {
    let types = counter.types
    let special = [Vocabulary.unknown, Vocabulary.endOfLine].map { Array($0.utf8) }
    var known = (0..<types.count).filter {
      types.counts[$0] >= options.minimumCount && !special.contains(Array(types.word($0)))
    }
    known.sort { a, b in
      types.counts[a] != types.counts[b]
        ? types.counts[a] > types.counts[b]
        : types.word(a).lexicographicallyPrecedes(types.word(b))
    }
    if options.maximumVocabulary > 0 { known = Array(known.prefix(options.maximumVocabulary - 2)) }
    var words = [Vocabulary.unknown, Vocabulary.endOfLine]
    words += known.map { String(decoding: types.word($0), as: UTF8.self) }
    if let given { words = given.words }
    var counts = words.map { word in types.index(of: word).map { types.counts[$0] } ?? 0 }
    let ends = Int(Vocabulary.endOfLineToken)
    counts[ends] += counter.trainingLines
    // Whatever has no number of its own.
    counts[Int(Vocabulary.unknownToken)] =
      counter.counts[DataSplit.train.position] - counts.dropFirst().reduce(0, +)
    return Vocabulary(unit: options.tokens, words: words, counts: counts)
  }

  private func write(
    _ texts: some TextSource, _ plan: Plan, _ write: @escaping SectionWriter.Write
  ) throws {
    var reading = TokenizedTexts(
      options.tokens,
      TokenWriter(
        SectionWriter(plan.header, write), plan.splits, types: plan.types, tokens: plan.tokens))
    try texts.read(&reading)
    let header = try reading.consumer.finish()
    try header.write(plan.vocabulary, write)
  }
}

extension CorpusHeader {
  /// Writes vocabulary and header, once the tokens are written; the vocabulary ends the file.
  func write(_ words: Vocabulary, _ write: SectionWriter.Write) throws {
    var header = self
    try words.text.withUnsafeBytes {
      header.vocabulary.byteCount = $0.count
      header.vocabulary.digest = ContentDigest(of: $0)
      try write($0, vocabulary.offset)
    }
    try header.encoded.withUnsafeBytes { try write($0, 0) }
  }
}
