/// Writes tokens to the parts of a corpus file that are their splits'.
struct TokenWriter: TokenConsumer {
  private let types: TypeTable
  /// By word of `types`, its token.
  private let tokens: [Int32]
  private var position: TextPosition
  private var sections: SectionWriter

  init(
    _ sections: SectionWriter, _ splits: SplitLines, types: TypeTable, tokens: [Int32]
  ) {
    self.types = types
    self.tokens = tokens
    self.sections = sections
    position = TextPosition(splits)
  }

  mutating func begin(_ name: String) { position.begin(name) }

  mutating func take(_ token: UnsafeRawBufferPointer) throws {
    guard let split = position.split else { return }
    let number = types.index(of: token).map { tokens[$0] } ?? Vocabulary.unknownToken
    try sections.append(number, to: split)
  }

  mutating func endLine() throws {
    guard let split = position.split else { return }
    try sections.append(Vocabulary.endOfLineToken, to: split)
    position.endLine()
  }

  /// Writes what is left; the header with the digests of the tokens.
  mutating func finish() throws -> CorpusHeader { try sections.finish() }
}

/// Collects the tokens of each split and writes them in pieces where the header says.
struct SectionWriter {
  /// Writes bytes at a place of the file.
  typealias Write = (UnsafeRawBufferPointer, Int) throws -> Void

  private static let pieceBytes = 1 << 19
  private static let changed = TaskError.unusableText(
    path: "the texts", problem: "changed while they were read", remedy: "prepare them again")

  private struct Section {
    var place: Int
    var pending: [UInt8] = []
    let hash = ContentHash()
  }

  private var header: CorpusHeader
  private let write: Write
  private var sections: [Section]

  init(_ header: CorpusHeader, _ write: @escaping Write) {
    self.header = header
    self.write = write
    sections = DataSplit.allCases.map { Section(place: header[$0].offset) }
  }

  mutating func append(_ token: Int32, to split: DataSplit) throws {
    let section = split.position
    if header.tokenSize == 2 {
      withUnsafeBytes(of: UInt16(token).littleEndian) { sections[section].pending += $0 }
    } else {
      withUnsafeBytes(of: token.littleEndian) { sections[section].pending += $0 }
    }
    if sections[section].pending.count >= Self.pieceBytes { try writePending(of: split) }
  }

  /// Writes what is left; the header with the digests of the tokens.
  mutating func finish() throws -> CorpusHeader {
    for split in DataSplit.allCases {
      try writePending(of: split)
      guard sections[split.position].place == header[split].end else {
        throw Self.changed
      }
      header[split].digest = sections[split.position].hash.digest
    }
    return header
  }

  private mutating func writePending(of split: DataSplit) throws {
    let section = split.position
    guard sections[section].place + sections[section].pending.count <= header[split].end else {
      throw Self.changed
    }
    try sections[section].pending.withUnsafeBytes { bytes in
      sections[section].hash.add(bytes)
      try write(bytes, sections[section].place)
    }
    sections[section].place += sections[section].pending.count
    sections[section].pending.removeAll(keepingCapacity: true)
  }
}
