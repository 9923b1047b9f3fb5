/// What takes the tokens of texts.
protocol TokenConsumer {
  /// A text begins.
  mutating func begin(_ name: String) throws
  /// A word or a character.
  mutating func take(_ token: UnsafeRawBufferPointer) throws
  /// The end of a line, an `<eos>`.
  mutating func endLine() throws
}

/// Cuts text that comes in pieces into tokens.
///
/// Words stand between white space (of ASCII: space, tab, carriage return, form feed, vertical tab).
/// Of characters those at the ends of a line are left out where they are white space, and white space
/// within a line is one `_`. Every line ends with an `<eos>`, empty ones too, and the last one whether
/// or not a newline stands there.
struct Tokenizer {
  /// A word that is longer than this many bytes tells that there is no text.
  static let longestWord = 1 << 16

  private let unit: TokenUnit
  /// What of a word or of a character has come.
  private var begun: [UInt8] = []
  private var isLineOpen = false
  /// Characters: whether white space stands between the last character and the next.
  private var hasGap = false
  private var hasText = false

  init(_ unit: TokenUnit) {
    self.unit = unit
  }

  mutating func take(
    _ bytes: UnsafeRawBufferPointer, to consumer: inout some TokenConsumer
  ) throws {
    guard !bytes.isEmpty else { return }
    isLineOpen = bytes[bytes.count - 1] != newline
    switch unit {
    case .words: try takeWords(bytes, to: &consumer)
    case .characters: try takeCharacters(bytes, to: &consumer)
    }
  }

  /// The text is over.
  mutating func end(to consumer: inout some TokenConsumer) throws {
    try takeBegun(to: &consumer)
    if isLineOpen { try consumer.endLine() }
    self = Tokenizer(unit)
  }

  private mutating func takeWords(
    _ bytes: UnsafeRawBufferPointer, to consumer: inout some TokenConsumer
  ) throws {
    var position = 0
    while position < bytes.count {
      let first = position
      while position < bytes.count, !isSpace(bytes[position]) { position += 1 }
      let word = UnsafeRawBufferPointer(rebasing: bytes[first..<position])
      if position == bytes.count || !begun.isEmpty {
        if begun.count < Self.longestWord { begun += word }
        if position == bytes.count { break }
        try takeBegun(to: &consumer)
      } else if !word.isEmpty {
        try consumer.take(word)
      }
      if bytes[position] == newline { try consumer.endLine() }
      position += 1
    }
  }

  private mutating func takeCharacters(
    _ bytes: UnsafeRawBufferPointer, to consumer: inout some TokenConsumer
  ) throws {
    for byte in bytes {
      // Bytes 10xxxxxx go on with what has begun.
      if byte & 0xC0 == 0x80 {
        begun.append(byte)
        continue
      }
      try takeBegun(to: &consumer)
      if byte == newline {
        try consumer.endLine()
        (hasGap, hasText) = (false, false)
      } else if isSpace(byte) {
        hasGap = hasText
      } else {
        if hasGap { try consumer.takeGap() }
        (hasGap, hasText) = (false, true)
        begun.append(byte)
      }
    }
  }

  private mutating func takeBegun(to consumer: inout some TokenConsumer) throws {
    guard !begun.isEmpty else { return }
    try begun.withUnsafeBufferPointer { token in
      try consumer.take(UnsafeRawBufferPointer(token))
    }
    begun.removeAll(keepingCapacity: true)
  }
}

private let newline = UInt8(ascii: "\n")

@inline(__always)
private func isSpace(_ byte: UInt8) -> Bool { byte == 32 || 9...13 ~= byte }

extension TokenConsumer {
  /// White space among characters.
  fileprivate mutating func takeGap() throws {
    let gap: [UInt8] = [UInt8(ascii: "_")]
    try gap.withUnsafeBufferPointer { gap in
      try take(UnsafeRawBufferPointer(gap))
    }
  }
}

/// Hands the tokens of texts to a consumer.
struct TokenizedTexts<Consumer: TokenConsumer>: TextVisitor {
  var consumer: Consumer
  private var tokenizer: Tokenizer

  init(_ unit: TokenUnit, _ consumer: Consumer) {
    tokenizer = Tokenizer(unit)
    self.consumer = consumer
  }

  mutating func begin(_ name: String) throws { try consumer.begin(name) }

  mutating func take(_ bytes: UnsafeRawBufferPointer) throws {
    try tokenizer.take(bytes, to: &consumer)
  }

  mutating func end() throws { try tokenizer.end(to: &consumer) }
}
