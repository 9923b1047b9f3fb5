import CXXHash

/// What a token of a corpus stands for.
package enum TokenUnit: String, Codable, CaseIterable, Sendable {
  /// What stands between white space.
  case words
  /// Unicode scalars; white space within a line is `_`.
  case characters
}

/// The first bytes of a corpus file: what is in it and where.
///
/// All numbers are little-endian.
///
/// | offset | bytes | what |
/// |-|-|-|
/// | 0 | 8 | `mscorpus` in ASCII |
/// | 8 | 4 | format version, 1 |
/// | 12 | 4 | bytes of a token, 2 or 4 |
/// | 16 | 4 | 0 for words, 1 for characters |
/// | 20 | 4 | words of the vocabulary |
/// | 24 | 8 | the entropy rate in nats a token as a double, 0 where unknown |
/// | 32 | 4 x 32 | of vocabulary, train, validation and test: offset, bytes, XXH3-128 (high, low) |
/// | 160 | 8 | XXH3-64 of bytes 0 to 159 |
///
/// Sections begin at multiples of 4096: the tokens of train, validation and test, then the vocabulary to
/// the end of the file.
struct CorpusHeader: Hashable {
  /// A part of the file.
  struct Extent: Hashable {
    var offset = 0
    var byteCount = 0
    var digest = ContentDigest()
    var end: Int { offset + byteCount }
  }

  static let version = 1
  static let byteCount = 168
  static let pageSize = 4096
  private static let magic = Array("mscorpus".utf8)
  private static let checked = 160

  var unit: TokenUnit
  var vocabularySize: Int
  /// In nats a token; 0 where unknown.
  var entropyRate = 0.0
  var vocabulary = Extent()
  /// The tokens of each split.
  private(set) var splits: [DataSplit: Extent] = [:]

  /// Of a corpus whose sections have these sizes and no digests yet.
  init(
    unit: TokenUnit, vocabularySize: Int, vocabularyBytes: Int, tokens: (DataSplit) -> Int,
    entropyRate: Double = 0
  ) {
    self.unit = unit
    self.vocabularySize = vocabularySize
    self.entropyRate = entropyRate
    var end = Self.byteCount
    func next(_ byteCount: Int) -> Extent {
      let offset = (end + Self.pageSize - 1) / Self.pageSize * Self.pageSize
      end = offset + byteCount
      return Extent(offset: offset, byteCount: byteCount)
    }
    for split in DataSplit.allCases { splits[split] = next(tokens(split) * tokenSize) }
    vocabulary = next(vocabularyBytes)
  }

  /// Bytes of a token: 2 where the vocabulary allows it, else 4.
  var tokenSize: Int { vocabularySize <= 1 << 16 ? 2 : 4 }

  subscript(split: DataSplit) -> Extent {
    get { splits[split] ?? Extent() }
    set { splits[split] = newValue }
  }

  /// Bytes of the whole file.
  var fileBytes: Int { vocabulary.end }

  private var extents: [Extent] { [vocabulary] + DataSplit.allCases.map { self[$0] } }

  /// Identifies vocabulary and tokens.
  var digest: ContentDigest {
    encoded.withUnsafeBytes { ContentDigest(of: UnsafeRawBufferPointer(rebasing: $0.dropLast(8))) }
  }

  /// The bytes at the start of the file.
  var encoded: [UInt8] {
    var bytes = Self.magic
    func append(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }
    append(UInt32(Self.version))
    append(UInt32(tokenSize))
    append(UInt32(unit == .words ? 0 : 1))
    append(UInt32(vocabularySize))
    append(entropyRate.bitPattern)
    for extent in extents {
      append(UInt64(extent.offset))
      append(UInt64(extent.byteCount))
      append(extent.digest.high)
      append(extent.digest.low)
    }
    append(XXH3_64bits(bytes, bytes.count))
    return bytes
  }

  /// Reads what `encoded` made; `fileBytes` is how long the file is, `path` names it in errors.
  init(
    _ bytes: UnsafeRawBufferPointer, fileBytes: Int, path: String
  ) throws(TaskError) {
    func damaged(_ problem: String) -> TaskError {
      .damagedFile(path: path, problem: problem, source: Corpus.source)
    }
    guard bytes.count >= Self.magic.count, bytes.starts(with: Self.magic) else {
      throw .damagedFile(
        path: path, problem: "it does not begin as a corpus does", source: Corpus.source)
    }
    guard bytes.count >= Self.byteCount else { throw damaged("it ends within its header") }
    func number<Value: FixedWidthInteger>(_ offset: Int, as type: Value.Type) -> Value {
      Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }
    guard XXH3_64bits(bytes.baseAddress, Self.checked) == number(Self.checked, as: UInt64.self)
    else { throw damaged("the checksum of its header is wrong") }
    let version = number(8, as: UInt32.self)
    guard version == Self.version else {
      throw damaged("it is of format version \(version), and this program reads \(Self.version)")
    }
    let counts = (0..<4).map { Int(number(40 + 32 * $0, as: UInt64.self)) }
    let size = Int(number(12, as: UInt32.self))
    self.init(
      unit: number(16, as: UInt32.self) == 0 ? .words : .characters,
      vocabularySize: Int(number(20, as: UInt32.self)), vocabularyBytes: counts[0],
      tokens: { counts[1 + (DataSplit.allCases.firstIndex(of: $0) ?? 0)] / max(size, 1) },
      entropyRate: Double(bitPattern: number(24, as: UInt64.self)))
    func digest(_ section: Int) -> ContentDigest {
      ContentDigest(
        high: number(48 + 32 * section, as: UInt64.self),
        low: number(56 + 32 * section, as: UInt64.self))
    }
    vocabulary.digest = digest(0)
    for (i, split) in DataSplit.allCases.enumerated() { self[split].digest = digest(i + 1) }
    guard fileBytes == self.fileBytes else {
      throw damaged("it has \(fileBytes) bytes and should have \(self.fileBytes)")
    }
  }
}
