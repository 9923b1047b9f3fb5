/// The words or characters that the tokens of a corpus number, with how often each was counted.
///
/// Token 0 is `<unk>`, whatever is not in the vocabulary, token 1 `<eos>`, the end of a line; the
/// others follow by count, the most frequent first, ties in the order of their bytes.
package struct Vocabulary: Hashable, Sendable {
  package static let unknown = "<unk>"
  package static let endOfLine = "<eos>"
  package static let unknownToken: Int32 = 0
  package static let endOfLineToken: Int32 = 1

  package let unit: TokenUnit
  package let words: [String]
  /// In the training texts.
  package let counts: [Int]

  package init(unit: TokenUnit, words: [String], counts: [Int]) {
    precondition(words.count == counts.count, "\(words.count) words, \(counts.count) counts")
    self.unit = unit
    self.words = words
    self.counts = counts
  }

  package var count: Int { words.count }

  /// Identifies which number stands for what, whatever the counts.
  package var digest: String {
    let text = ([unit.rawValue] + words).joined(separator: "\n")
    return contentDigest(Array(text.utf8))
  }

  /// A line for each word: the word, a tab, its count.
  var text: [UInt8] {
    var text: [UInt8] = []
    for (word, count) in zip(words, counts) { text += "\(word)\t\(count)\n".utf8 }
    return text
  }

  /// Reads what `text` made; nil where it is something else.
  init?(_ text: UnsafeRawBufferPointer, unit: TokenUnit) {
    var words: [String] = []
    var counts: [Int] = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
      guard let tab = line.lastIndex(of: UInt8(ascii: "\t")), tab > line.startIndex,
        let count = Int(String(decoding: line[(tab + 1)...], as: UTF8.self))
      else { return nil }
      words.append(String(decoding: line[..<tab], as: UTF8.self))
      counts.append(count)
    }
    self.init(unit: unit, words: words, counts: counts)
  }

  /// The tokens of a text, `<unk>` for those that have none; its end is no end of a line.
  package func tokens(of text: String) -> [Int32] {
    var collector = TokenCollector(numbers: [:])
    for (token, word) in words.enumerated() { collector.numbers[Array(word.utf8)] = Int32(token) }
    var tokenizer = Tokenizer(unit)
    var text = text
    // Nothing here throws: a collector takes all.
    try? text.withUTF8 { try tokenizer.take(UnsafeRawBufferPointer($0), to: &collector) }
    try? tokenizer.end(to: &collector)
    if !text.isEmpty, !text.hasSuffix("\n") { collector.tokens.removeLast() }
    return collector.tokens
  }

  /// The tokens as text: lines of words with spaces between them, or of characters.
  package func text(of tokens: some Sequence<Int32>) -> String {
    var text = ""
    for token in tokens {
      switch (token, unit) {
      case (Self.endOfLineToken, _): text += "\n"
      case (_, .characters): text += words[Int(token)] == "_" ? " " : words[Int(token)]
      case (_, .words):
        if let last = text.last, last != "\n" { text += " " }
        text += words[Int(token)]
      }
    }
    return text
  }
}

/// Notes the tokens of a text.
private struct TokenCollector: TokenConsumer {
  var numbers: [[UInt8]: Int32]
  var tokens: [Int32] = []

  mutating func begin(_ name: String) {}

  mutating func take(_ token: UnsafeRawBufferPointer) {
    tokens.append(numbers[Array(token)] ?? Vocabulary.unknownToken)
  }

  mutating func endLine() { tokens.append(Vocabulary.endOfLineToken) }
}
