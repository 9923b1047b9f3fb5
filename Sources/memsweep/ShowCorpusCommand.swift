import ArgumentParser
import Foundation
import MemoryNets
import Sweeps

/// Shows what is in a corpus.
struct ShowCorpus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows what is in a corpus file, after verifying all of it.")

  @Argument(help: "A corpus file.")
  var corpus: String

  @Flag(help: "One line of JSON.")
  var json = false

  func run() throws {
    try CorpusText(Corpus(path: corpus)).print(json: json)
  }
}

/// What is said of a corpus.
struct CorpusText {
  private let corpus: Corpus
  private let vocabulary: Vocabulary
  private let unknown: [Int]

  init(_ corpus: Corpus) throws {
    self.corpus = corpus
    vocabulary = try corpus.vocabulary()
    unknown = DataSplit.allCases.map { split in
      (0..<corpus.count(of: split)).count {
        corpus.token($0, of: split) == Vocabulary.unknownToken
      }
    }
  }

  func print(json: Bool) throws {
    if json { Terminal.answer(json: value) } else { Terminal.answer(text) }
  }

  private var splits: [(split: DataSplit, count: Int, unknown: Int)] {
    zip(DataSplit.allCases, unknown).map { ($0, corpus.count(of: $0), $1) }
  }

  private var value: JSONValue {
    .object([
      "path": .string(corpus.path), "unit": .string(corpus.unit.rawValue),
      "vocabulary": .integer(vocabulary.count), "digest": .string(corpus.digest),
      "vocabulary_digest": .string(vocabulary.digest),
      "bytes": .integer(corpus.fileBytes),
      "entropy_rate": corpus.entropyRate.map { .number($0) } ?? .null,
      "tokens": .object(
        Dictionary(uniqueKeysWithValues: splits.map { ($0.split.rawValue, .integer($0.count)) })),
      "unknown": .object(
        Dictionary(uniqueKeysWithValues: splits.map { ($0.split.rawValue, .integer($0.unknown)) })),
    ])
  }

  private var text: String {
    var text = "\(corpus.path): \(vocabulary.count) \(corpus.unit.rawValue), "
    text += "\(corpus.fileBytes) bytes, digest \(corpus.digest)\n"
    for (split, count, unknown) in splits {
      let part = count == 0 ? 0 : 100 * Double(unknown) / Double(count)
      text += "  \(split.rawValue): \(count) tokens, "
      text += "\(unknown) <unk> (\(String(format: "%.2f", part)) %)\n"
    }
    if let rate = corpus.entropyRate {
      text += "  entropy rate \(String(format: "%.4f", rate)) nats a token, "
      text += "perplexity \(String(format: "%.2f", exp(rate)))\n"
    }
    let frequent = vocabulary.words.prefix(12).joined(separator: " ")
    return text + "  most frequent: \(frequent)\n"
  }
}
