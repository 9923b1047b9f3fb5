import Foundation
import MemoryNets
import TestSupport
import Testing

@Suite struct CorpusTests {
  private func corpus(
    _ texts: [String: String], _ change: (inout CorpusOptions) -> Void = { _ in }
  ) throws -> Corpus {
    var options = CorpusOptions()
    options.split = .names
    change(&options)
    let texts = texts.sorted { $0.key < $1.key }.map { (name: $0.key, bytes: Array($0.value.utf8)) }
    return try CorpusBuilder(options).corpus(of: TextsInMemory(texts), path: "small")
  }

  private func text(_ corpus: Corpus, _ split: DataSplit) throws -> [String] {
    let words = try corpus.vocabulary().words
    return (0..<corpus.count(of: split)).map { words[Int(corpus.token($0, of: split))] }
  }

  @Test func wordsStandBetweenWhiteSpaceAndLinesEnd() throws {
    let corpus = try corpus([
      "train": " a  b\tc\r\n\n b b", "valid": "b x\n", "test": "",
    ])
    #expect(try text(corpus, .train) == ["a", "b", "c", "<eos>", "<eos>", "b", "b", "<eos>"])
    #expect(try text(corpus, .validation) == ["b", "<unk>", "<eos>"])
    #expect(try text(corpus, .test).isEmpty)
    let vocabulary = try corpus.vocabulary()
    #expect(vocabulary.words == ["<unk>", "<eos>", "b", "a", "c"])
    #expect(vocabulary.counts == [0, 3, 3, 1, 1])
  }

  @Test func charactersAreScalarsWithOneMarkForWhiteSpaceWithin() throws {
    let corpus = try corpus(["train": "  a é \t b \n\nß"]) { $0.tokens = .characters }
    #expect(
      try text(corpus, .train) == ["a", "_", "é", "_", "b", "<eos>", "<eos>", "ß", "<eos>"])
    let tokens = (0..<6).map { corpus.token($0, of: .train) }
    #expect(try corpus.vocabulary().text(of: tokens) == "a é b\n")
  }

  @Test func textThatComesInPiecesIsTheSame() throws {
    struct Torn: TextSource {
      let text: [UInt8]
      let size: Int
      func read(_ visitor: inout some TextVisitor) throws {
        try visitor.begin("train")
        for start in stride(from: 0, to: text.count, by: size) {
          let piece = Array(text[start..<min(start + size, text.count)])
          try piece.withUnsafeBytes { try visitor.take($0) }
        }
        try visitor.end()
      }
    }
    let text = Array("one two  é\nthree one\n\n end".utf8)
    for unit in TokenUnit.allCases {
      var options = CorpusOptions()
      (options.tokens, options.split) = (unit, .names)
      let builder = CorpusBuilder(options)
      let digests = try [1, 2, 3, 5, text.count].map {
        try builder.corpus(of: Torn(text: text, size: $0), path: "torn").digest
      }
      #expect(Set(digests).count == 1)
    }
  }

  @Test func rareWordsAndThoseBeyondTheLimitAreUnknown() throws {
    let text = "a a a b b c c d <unk>\n"
    let frequent = try corpus(["train": text]) { $0.minimumCount = 2 }
    #expect(try frequent.vocabulary().words == ["<unk>", "<eos>", "a", "b", "c"])
    #expect(try frequent.vocabulary().counts == [2, 1, 3, 2, 2])
    let few = try corpus(["train": text]) { $0.maximumVocabulary = 4 }
    #expect(try few.vocabulary().words == ["<unk>", "<eos>", "a", "b"])
    #expect(try self.text(few, .train).count { $0 == "<unk>" } == 4)
  }

  @Test func aShareIsTheLastLinesOfEveryText() throws {
    let lines = (0..<20).map { "l\($0)\n" }.joined()
    let corpus = try corpus(["a": lines, "b": "x\ny"]) {
      ($0.split, $0.validationShare, $0.testShare) = (.share, 0.1, 0.2)
    }
    #expect(corpus.count(of: .train) == 2 * 14 + 4)
    #expect(corpus.count(of: .validation) == 4 && corpus.count(of: .test) == 8)
    // Words of other splits than the training one are not in the vocabulary.
    #expect(
      try text(corpus, .test) == Array(repeating: ["<unk>", "<eos>"], count: 4).flatMap { $0 })
  }

  @Test func aGivenVocabularyIsKept() throws {
    let first = try corpus(["train": "a b\n", "valid": "", "test": ""])
    var options = CorpusOptions()
    options.split = .names
    let second = try CorpusBuilder(options, vocabulary: try first.vocabulary()).corpus(
      of: TextsInMemory([("train", Array("b b z\n".utf8))]), path: "second")
    #expect(try second.vocabulary().words == ["<unk>", "<eos>", "a", "b"])
    #expect(try second.vocabulary().digest == first.vocabulary().digest)
    #expect(try text(second, .train) == ["b", "b", "<unk>", "<eos>"])
  }

  @Test(arguments: [
    ([UInt8]("a \u{e9}\n".unicodeScalars.map { UInt8($0.value) }), "is no UTF-8")
  ])
  func whatIsNoTextIsRefusedByName(bytes: [UInt8], problem: String) {
    var options = CorpusOptions()
    options.split = .names
    #expect {
      _ = try CorpusBuilder(options).corpus(
        of: TextsInMemory([("train.txt", bytes)]), path: "x")
    } throws: { "\($0)".hasPrefix("train.txt: \(problem)") }
  }

  @Test func aTextWhoseNameTellsNoSplitIsLeftOut() throws {
    #expect {
      _ = try corpus(["chapter.txt": "a\n", "valid.txt": "a\n"])
    } throws: { "\($0)".hasPrefix("the texts: hold nothing to train on; splits go by names") }
    let both = try corpus(["a/train.txt": "a\n", "a/chapter.txt": "b b\n", "test.txt": "b\n"])
    #expect(try both.vocabulary().words == ["<unk>", "<eos>", "a"])
    #expect(both.count(of: .train) == 2 && both.count(of: .test) == 2)
  }

  @Test(arguments: [TokenUnit.words, .characters])
  func aFileIsWhatIsInMemoryAndDamageIsNamed(unit: TokenUnit) throws {
    let path = NSTemporaryDirectory() + "memsweep-corpus-\(UUID().uuidString).corpus"
    defer { try? FileManager.default.removeItem(atPath: path) }
    var options = CorpusOptions()
    (options.split, options.tokens) = (.names, unit)
    let texts = TextsInMemory(
      ["train", "valid", "test"].map { ($0, Array("\($0) a b c\n".utf8)) })
    try CorpusBuilder(options).write(texts, to: path)
    let inMemory = try CorpusBuilder(options).corpus(of: texts, path: "memory")
    let mapped = try Corpus(path: path)
    #expect(mapped.digest == inMemory.digest)
    #expect(mapped.byteCount == 0 && inMemory.byteCount == mapped.fileBytes)
    for split in DataSplit.allCases {
      #expect(try text(mapped, split) == text(inMemory, split))
    }

    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    func refusal(_ data: Data) throws -> String {
      try data.write(to: URL(fileURLWithPath: path))
      do {
        _ = try Corpus(path: path)
      } catch {
        #expect(error.description.hasPrefix("\(path): is damaged: "))
        #expect(error.description.hasSuffix("; memsweep data prepare makes it anew"))
        return error.problem
      }
      return "none"
    }
    #expect(try refusal(whole.dropLast()).contains("should have \(whole.count)"))
    #expect(try refusal(whole.prefix(100)).contains("ends within its header"))
    #expect(try refusal(Data()).contains("empty"))
    #expect(try refusal(Data("hello".utf8)).contains("does not begin as a corpus"))
    for (place, part) in [(20, "header"), (4100, "train tokens"), (whole.count - 2, "vocabulary")] {
      var changed = whole
      changed[place] ^= 1
      #expect(try refusal(changed).contains("the checksum of its \(part) is wrong"))
    }
    #expect(try refusal(whole) == "none")
  }

  @Test func aMissingFileIsNamed() {
    #expect {
      _ = try Corpus(path: "/nowhere/x.corpus")
    } throws: { "\($0)".hasPrefix("/nowhere/x.corpus: is missing; ") }
  }

  @Test(.enabled(if: RealData.isExpected, "\(RealData.skipReason)"))
  func theTreebankHasItsPublishedCounts() throws {
    let folder = DataFolder(path: try RealData.folder())
    let words = try PennTreebank.read(.words, from: folder)
    #expect(words.vocabularySize == 10_000)
    #expect(DataSplit.allCases.map(words.count) == [929_589, 73_760, 82_430])
    for (split, unknown, lines) in [
      (DataSplit.train, 45_020, 42_068), (.validation, 3485, 3370), (.test, 4794, 3761),
    ] {
      let tokens = (0..<words.count(of: split)).map { words.token($0, of: split) }
      #expect(tokens.count { $0 == Vocabulary.unknownToken } == unknown)
      #expect(tokens.count { $0 == Vocabulary.endOfLineToken } == lines)
    }
    let characters = try PennTreebank.read(.characters, from: folder)
    #expect(DataSplit.allCases.map(characters.count) == [5_017_482, 393_042, 442_423])
    #expect(characters.vocabularySize == 51)
  }
}
