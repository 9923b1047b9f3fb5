import CXXHash

/// Different words with how often each was counted; grows with the words and not with the text.
struct TypeTable {
  private(set) var counts: [Int] = []
  /// All words one after the other; word i ends at ends[i].
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  /// Numbers of words by their hash, open addressing; -1 where there is none.
  private var places = [Int32](repeating: -1, count: 1 << 12)

  var count: Int { counts.count }

  /// The bytes of word `index`.
  func word(_ index: Int) -> ArraySlice<UInt8> {
    bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  /// The number of a word that is known, or nil.
  func index(of word: UnsafeRawBufferPointer) -> Int? {
    let number = places[place(of: word)]
    return number < 0 ? nil : Int(number)
  }

  /// The number of a word that is known, or nil.
  func index(of word: String) -> Int? {
    var word = word
    return word.withUTF8 { index(of: UnsafeRawBufferPointer($0)) }
  }

  /// Counts a word; its number, and whether it is new.
  @discardableResult
  mutating func add(
    _ word: UnsafeRawBufferPointer, count: Int = 1
  ) -> (index: Int, isNew: Bool) {
    let place = place(of: word)
    if places[place] >= 0 {
      counts[Int(places[place])] += count
      return (Int(places[place]), false)
    }
    let index = counts.count
    places[place] = Int32(index)
    bytes += word
    ends.append(bytes.count)
    counts.append(count)
    if 2 * counts.count > places.count { grow() }
    return (index, true)
  }

  /// Where the number of a word stands, or would.
  private func place(of word: UnsafeRawBufferPointer) -> Int {
    let mask = places.count - 1
    var place = Int(truncatingIfNeeded: XXH3_64bits(word.baseAddress, word.count)) & mask
    while places[place] >= 0, !isWord(Int(places[place]), word) { place = (place + 1) & mask }
    return place
  }

  private func isWord(_ index: Int, _ word: UnsafeRawBufferPointer) -> Bool {
    let first = index == 0 ? 0 : ends[index - 1]
    guard ends[index] - first == word.count else { return false }
    return bytes.withUnsafeBytes { all in
      (0..<word.count).allSatisfy { all[first + $0] == word[$0] }
    }
  }

  private mutating func grow() {
    places = [Int32](repeating: -1, count: 2 * places.count)
    bytes.withUnsafeBytes { all in
      var first = 0
      for (index, end) in ends.enumerated() {
        let mask = places.count - 1
        let hash = XXH3_64bits(all.baseAddress! + first, end - first)
        var place = Int(truncatingIfNeeded: hash) & mask
        while places[place] >= 0 { place = (place + 1) & mask }
        places[place] = Int32(index)
        first = end
      }
    }
  }
}
