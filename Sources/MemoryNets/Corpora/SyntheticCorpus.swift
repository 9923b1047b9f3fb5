/// A corpus of the made-up language, written block by block.
package struct SyntheticCorpus {
  /// Tokens of the training text, rounded up to whole blocks.
  package var tokens = 1 << 20
  /// Tokens of the validation text, and as many of the test text, rounded up to whole blocks.
  package var evaluationTokens = 1 << 16
  package var words = 10_000
  package var seed: UInt64 = 1

  package init() {}

  /// Writes the corpus to a file, whole or not at all; gives its entropy rate in nats a token.
  package func write(
    to path: String, fileSystem: some FileSystem = DiskFileSystem()
  ) throws -> Double {
    var rate = 0.0
    try fileSystem.replaceFile(at: path) { rate = try write($0) }
    return rate
  }

  /// The corpus in memory.
  package func corpus() throws -> Corpus {
    let room = (blocks(.train) + 2 * blocks(.test)) * ZipfMarkovText.blockTokens * 4
    let memory = CorpusStorage(byteCount: room + 64 * (words + 4) + 8 * CorpusHeader.pageSize)
    var end = 0
    _ = try write {
      memory.write($0, at: $1)
      end = max(end, $1 + $0.count)
    }
    let image = CorpusStorage(byteCount: end)
    image.write(UnsafeRawBufferPointer(rebasing: memory.bytes[..<end]), at: 0)
    return try Corpus(image, path: "synthetic")
  }

  private func blocks(_ split: DataSplit) -> Int {
    let tokens = split == .train ? tokens : evaluationTokens
    return max(1, (tokens + ZipfMarkovText.blockTokens - 1) / ZipfMarkovText.blockTokens)
  }

  private func write(_ write: @escaping SectionWriter.Write) throws -> Double {
    let text = ZipfMarkovText(words: words, seed: seed)
    let rate = text.entropyRate
    let header = CorpusHeader(
      unit: .words, vocabularySize: words + 2, vocabularyBytes: 0,
      tokens: { blocks($0) * ZipfMarkovText.blockTokens }, entropyRate: rate)
    var sections = SectionWriter(header, write)
    var counts = [Int](repeating: 0, count: words + 2)
    var block = 0
    for split in DataSplit.allCases {
      for _ in 0..<blocks(split) {
        for token in text.block(block) {
          if split == .train { counts[Int(token)] += 1 }
          try sections.append(token, to: split)
        }
        block += 1
      }
    }
    try sections.finish().write(
      Vocabulary(unit: .words, words: text.vocabulary, counts: counts), write)
    return rate
  }
}
