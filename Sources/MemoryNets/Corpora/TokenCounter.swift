/// Counts the words of the training texts and the tokens of all.
struct TokenCounter: TokenConsumer {
  private(set) var types = TypeTable()
  /// Tokens of each split, `<eos>` among them.
  private(set) var counts = [0, 0, 0]
  private(set) var trainingLines = 0
  /// The texts of no split.
  private(set) var leftOut: [String] = []
  private var position: TextPosition

  init(_ splits: SplitLines) {
    position = TextPosition(splits)
  }

  /// Gives a word a number before it is met.
  mutating func know(_ word: String) {
    var word = word
    word.withUTF8 { _ = types.add(UnsafeRawBufferPointer($0), count: 0) }
  }

  mutating func begin(_ name: String) {
    position.begin(name)
    if position.split == nil { leftOut.append(name) }
  }

  mutating func take(_ token: UnsafeRawBufferPointer) throws {
    guard let split = position.split else { return }
    counts[split.position] += 1
    guard split == .train, types.add(token).isNew else { return }
    guard token.count < Tokenizer.longestWord else {
      throw TaskError.unusableText(
        path: position.name, problem: "is no text: a word has \(token.count) bytes or more",
        remedy: "leave it out")
    }
    guard String(validating: token.bindMemory(to: UInt8.self), as: UTF8.self) != nil else {
      throw TaskError.unusableText(
        path: position.name,
        problem: "is no UTF-8: a token has the bytes \(Array(token.prefix(16)))",
        remedy: "convert it, as iconv -t UTF-8 does")
    }
  }

  mutating func endLine() {
    guard let split = position.split else { return }
    counts[split.position] += 1
    if split == .train { trainingLines += 1 }
    position.endLine()
  }
}
