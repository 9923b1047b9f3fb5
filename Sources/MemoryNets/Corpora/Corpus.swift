/// A text as numbers: the tokens of three splits and the vocabulary that they number.
///
/// Stands in one block of bytes, the contents of a corpus file, which is mapped, or in memory.
package final class Corpus {
  /// How a corpus file comes to be, for messages.
  static let source = "memsweep data prepare makes it anew"

  /// Names the corpus in messages.
  package let path: String
  let header: CorpusHeader
  private let storage: CorpusStorage
  private let tokens: [UnsafeRawPointer]
  private let isWide: Bool

  /// Maps the corpus file at `path` and verifies all of it.
  package convenience init(path: String) throws(TaskError) {
    try self.init(CorpusStorage(mapping: path), path: path)
  }

  /// Reads a corpus out of the contents of its file; `path` names it in errors.
  init(_ storage: CorpusStorage, path: String) throws(TaskError) {
    let bytes = storage.bytes
    let header = try CorpusHeader(bytes, fileBytes: bytes.count, path: path)
    for (name, extent) in [("vocabulary", header.vocabulary)]
      + DataSplit.allCases.map({ ("\($0.rawValue) tokens", header[$0]) })
    {
      let part = UnsafeRawBufferPointer(rebasing: bytes[extent.offset..<extent.end])
      guard ContentDigest(of: part) == extent.digest else {
        throw .damagedFile(
          path: path, problem: "the checksum of its \(name) is wrong", source: Self.source)
      }
    }
    storage.forgetPages()
    self.path = path
    self.header = header
    self.storage = storage
    tokens = DataSplit.allCases.map { bytes.baseAddress! + header[$0].offset }
    isWide = header.tokenSize == 4
  }

  package var unit: TokenUnit { header.unit }
  package var vocabularySize: Int { header.vocabularySize }

  /// Identifies vocabulary and tokens.
  package var digest: String { header.digest.description }

  /// What no predictor's mean loss falls below on text without end, in nats a token; nil where unknown.
  package var entropyRate: Double? { header.entropyRate > 0 ? header.entropyRate : nil }

  /// Bytes of memory that are this program's alone; a mapped file is the system's.
  package var byteCount: Int { storage.isMapped ? 0 : storage.bytes.count }

  /// Bytes of the file.
  package var fileBytes: Int { storage.bytes.count }

  /// Tokens of `split`.
  package func count(of split: DataSplit) -> Int { header[split].byteCount / header.tokenSize }

  /// Token `index` of `split`.
  @inline(__always)
  package func token(_ index: Int, of split: DataSplit) -> Int32 {
    let base = tokens[split.position]
    return isWide
      ? base.load(fromByteOffset: index * 4, as: Int32.self)
      : Int32(base.load(fromByteOffset: index * 2, as: UInt16.self))
  }

  /// The vocabulary, read anew from the file at each call.
  package func vocabulary() throws(TaskError) -> Vocabulary {
    let extent = header.vocabulary
    let text = UnsafeRawBufferPointer(rebasing: storage.bytes[extent.offset..<extent.end])
    guard let vocabulary = Vocabulary(text, unit: unit), vocabulary.count == vocabularySize else {
      throw .damagedFile(
        path: path, problem: "its vocabulary is not of \(vocabularySize) words",
        source: Self.source)
    }
    return vocabulary
  }
}
