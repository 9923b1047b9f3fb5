/// Texts that can be read again and again, always the same ones in the same order.
package protocol TextSource {
  /// Gives all texts to `visitor`, one after the other, each in pieces.
  func read(_ visitor: inout some TextVisitor) throws
}

/// What texts are read into.
package protocol TextVisitor {
  /// A text begins; `name` is for messages and for rules that go by it.
  mutating func begin(_ name: String) throws
  /// Some bytes of the text, the next ones.
  mutating func take(_ bytes: UnsafeRawBufferPointer) throws
  mutating func end() throws
}

/// Texts in memory, with their names.
package struct TextsInMemory: TextSource {
  private let texts: [(name: String, bytes: [UInt8])]

  package init(_ texts: [(name: String, bytes: [UInt8])]) {
    self.texts = texts
  }

  package func read(_ visitor: inout some TextVisitor) throws {
    for text in texts {
      try visitor.begin(text.name)
      try text.bytes.withUnsafeBufferPointer { bytes in
        try visitor.take(UnsafeRawBufferPointer(bytes))
      }
      try visitor.end()
    }
  }
}
