import Foundation

/// A formal language; w is any string over `symbols` letters, w^R its reversal.
///
/// The first seven are not context-free, the others are.
package enum FormalLanguageName: String, Codable, CaseIterable, Sendable {
  /// a^n b^n c^n.
  case count3 = "count_3"
  /// w # w^R # w.
  case markedReverseAndCopy = "marked_reverse_and_copy"
  /// w #^n w with n the length of w.
  case countAndCopy = "count_and_copy"
  /// w # w.
  case markedCopy = "marked_copy"
  /// w f(w), f giving each letter its twin of a second alphabet.
  case unmarkedCopyDifferentAlphabets = "unmarked_copy_different_alphabets"
  /// w w^R w.
  case unmarkedReverseAndCopy = "unmarked_reverse_and_copy"
  /// w w.
  case unmarkedCopy = "unmarked_copy"
  /// w # w^R.
  case markedReversal = "marked_reversal"
  /// w w^R.
  case unmarkedReversal = "unmarked_reversal"
  /// w a^p w^R with any letter a and any p.
  case paddedReversal = "padded_reversal"
  /// Balanced brackets of `symbols` kinds.
  case dyck
  /// Balanced brackets of two kinds in pieces among decoys.
  case hardestCFL = "hardest_cfl"
}

/// The exact sampler of a language: strings of a given length, and how likely each is.
///
/// Strings of a length are equally likely except where a grammar says otherwise: in a padded
/// reversal the number n of letters has weight (60/61)^n and that of paddings p (30/31)^p; for
/// Dyck strings see `DyckGrammar`, for the hardest `HardestLanguage`. A string that has several
/// derivations is as likely as all of them together. Languages, weights and test lengths are those of DuSell and
/// Chiang, "The Surprising Computational Power of Nondeterministic Stack RNNs", ICLR 2023, and its
/// predecessors, read from their program.
package struct FormalLanguage: Sendable {
  package let name: FormalLanguageName
  /// Letters of w, or kinds of brackets.
  package let symbols: Int
  private let dyck: DyckGrammar?
  private let hardest: HardestLanguage?

  package init(_ name: FormalLanguageName, symbols: Int, maximumLength: Int) {
    self.name = name
    self.symbols = symbols
    dyck = name == .dyck ? DyckGrammar(kinds: symbols, maximumLength: maximumLength) : nil
    hardest = name == .hardestCFL ? HardestLanguage(maximumLength: maximumLength) : nil
  }

  /// Symbols that strings are made of: 0 ..< this.
  package var vocabulary: Int {
    switch name {
    case .count3: 3
    case .unmarkedCopyDifferentAlphabets, .dyck: 2 * symbols
    case .unmarkedReverseAndCopy, .unmarkedCopy, .unmarkedReversal, .paddedReversal: symbols
    case .hardestCFL: HardestLanguage.vocabulary
    default: symbols + 1
    }
  }

  /// The length of w in a string of this length; nil where there is no such string, or w of any
  /// length is possible.
  private func wordLength(_ length: Int) -> Int? {
    let (copies, marks) =
      switch name {
      case .count3, .countAndCopy, .unmarkedReverseAndCopy: (3, 0)
      case .markedReverseAndCopy: (3, 2)
      case .markedCopy, .markedReversal: (2, 1)
      default: (2, 0)
      }
    let letters = length - marks
    return letters >= copies && letters % copies == 0 ? letters / copies : nil
  }

  /// Whether there are strings of this length.
  package func has(length: Int) -> Bool {
    switch name {
    case .paddedReversal: length >= 1
    case .hardestCFL: HardestLanguage.shortest...HardestLanguage.longest ~= length
    default: wordLength(length) != nil
    }
  }

  /// The symbols of a string, its end included, that a predictor which knows the language gets right
  /// on average; nil where that is no matter of counting.
  package func idealCorrect(length: Int) -> Double? {
    guard let n = wordLength(length).map(Double.init) else { return nil }
    let guessed = n / Double(symbols)
    return switch name {
    case .count3: 3 * n
    case .markedReverseAndCopy: guessed + 2 * n + 2
    case .countAndCopy: guessed + 2 * n
    case .markedCopy, .markedReversal: guessed + n + 1
    case .unmarkedCopyDifferentAlphabets: guessed + n
    default: nil
    }
  }

  /// Replaces `string` by one of `length` symbols and gives -ln p(string | length).
  package func sample(
    length: Int, _ draws: inout PhiloxStream, into string: inout [Int32]
  ) -> Double {
    precondition(has(length: length), "no \(name.rawValue) of length \(length)")
    string.removeAll(keepingCapacity: true)
    if let dyck { return dyck.sample(length: length, &draws, into: &string) }
    if let hardest { return hardest.sample(length: length, &draws, into: &string) }
    let nats = name == .paddedReversal ? paddedNats(length) : nil
    let n = nats.map { draw(from: $0, &draws) } ?? wordLength(length) ?? 0
    if name == .count3 {
      for symbol: Int32 in 0..<3 { string += repeatElement(symbol, count: n) }
      return 0
    }
    for _ in 0..<n { string.append(Int32(truncatingIfNeeded: draws.integer(below: symbols))) }
    let mark = Int32(truncatingIfNeeded: symbols)
    func append(_ places: some Sequence<Int>) { for i in places { string.append(string[i]) } }
    let (word, reversed) = (0..<n, (0..<n).reversed())
    switch name {
    case .markedReverseAndCopy:
      string.append(mark)
      append(reversed)
      string.append(mark)
      append(word)
    case .countAndCopy:
      string += repeatElement(mark, count: n)
      append(word)
    case .markedCopy:
      string.append(mark)
      append(word)
    case .unmarkedCopyDifferentAlphabets: for i in word { string.append(string[i] + mark) }
    case .unmarkedReverseAndCopy:
      append(reversed)
      append(word)
    case .unmarkedCopy: append(word)
    case .markedReversal:
      string.append(mark)
      append(reversed)
    case .unmarkedReversal: append(reversed)
    case .paddedReversal:
      let padding = length - 2 * n
      if padding > 0 {
        let letter = Int32(truncatingIfNeeded: draws.integer(below: symbols))
        string += repeatElement(letter, count: padding)
      }
      append(reversed)
    case .count3, .dyck, .hardestCFL: break
    }
    return nats.map { paddedNats(of: string, $0) } ?? Double(n) * log(Double(symbols))
  }

  /// -ln p(n | length) of a padded reversal with n letters on each side.
  private func paddedNats(_ length: Int) -> [Double] {
    let nats = (0...length / 2).map { n in
      -Double(n) * log(60.0 / 61) - Double(length - 2 * n) * log(30.0 / 31)
    }
    let least = nats.min() ?? 0
    let total = nats.reduce(0) { $0 + exp(least - $1) }
    return nats.map { $0 - least + log(total) }
  }

  /// -ln p(string | length) of a padded reversal: over all n such that what w and w^R leave is one
  /// letter alone.
  private func paddedNats(of string: [Int32], _ nats: [Double]) -> Double {
    let half = string.count / 2
    var least = half
    while least > 0, string[least - 1] == string[half] { least -= 1 }
    let probability = (least...half).reduce(0) { sum, n in
      let letters = n + (string.count > 2 * n ? 1 : 0)
      return sum + exp(-nats[n] - Double(letters) * log(Double(symbols)))
    }
    return -log(probability)
  }

  private func draw(from nats: [Double], _ draws: inout PhiloxStream) -> Int {
    var rest = draws.uniform()
    for (n, value) in nats.enumerated() {
      rest -= exp(-value)
      if rest < 0 { return n }
    }
    return nats.count - 1
  }
}
