/// The Penn Treebank as Mikolov prepared it: words in lower case, numbers as `N`, 10,000 types.
package enum PennTreebank {
  /// Where the files come from.
  package static let source =
    "the Penn Treebank of Mikolov's page, ptb.train.txt, ptb.valid.txt and ptb.test.txt, each packed "
    + "with zstd, in a folder ptb"

  /// Within the data folder: split, file and XXH3-128 of the unpacked file.
  package static let files: [(split: DataSplit, name: String, digest: String)] = [
    (.train, "ptb/ptb.train.txt.zst", "01bcdb6307f604552044f3b970e874ac"),
    (.validation, "ptb/ptb.valid.txt.zst", "e4104290262bb0438d2a089ca3de254e"),
    (.test, "ptb/ptb.test.txt.zst", "f8bc2bec61c5f6d126bda1dabd52582b"),
  ]

  /// Reads the files in `folder` and checks that they are the published ones.
  package static func read(
    _ unit: TokenUnit, from folder: DataFolder
  ) throws -> Corpus {
    var texts: [(name: String, bytes: [UInt8])] = []
    for (_, name, digest) in files {
      let file = DataFile(name: name, source: source)
      let path = try file.path(in: folder)
      let packed = try file.bytes(in: folder)
      let bytes: [UInt8]
      do throws(ByteStreamError) {
        bytes = try Compression.zstandard.unpacked(packed)
      } catch {
        throw error.error(of: path, source: source)
      }
      let found = contentDigest(bytes)
      guard found == digest else {
        throw TaskError.alteredFile(
          path: path, found: "\(bytes.count) bytes, digest \(found)",
          expected: "digest \(digest)", source: source)
      }
      texts.append((name, bytes))
    }
    var options = CorpusOptions()
    options.tokens = unit
    options.split = .names
    return try CorpusBuilder(options).corpus(of: TextsInMemory(texts), path: "ptb")
  }
}
