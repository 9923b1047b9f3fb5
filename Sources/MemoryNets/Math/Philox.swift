/// A key of the counter-based generator: the only source of randomness.
///
/// Keys are derived by name, never drawn, so that a number depends on what it is for and on
/// nothing else: not on the order of draws, the number of ranks or an interruption.
package struct PhiloxKey: Hashable, Sendable {
  package let low: UInt32
  package let high: UInt32

  package init(_ seed: UInt64) {
    low = UInt32(truncatingIfNeeded: seed)
    high = UInt32(truncatingIfNeeded: seed >> 32)
  }

  /// The key for one `purpose` under this key.
  package func derived(_ purpose: String) -> PhiloxKey {
    // FNV-1a over the UTF-8 bytes; the Philox block then mixes it with this key.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return derived(hash)
  }

  /// The key for the `number`-th use under this key.
  package func derived(_ number: UInt64) -> PhiloxKey {
    let block = philoxBlock(
      counter: (UInt32(truncatingIfNeeded: number), UInt32(number >> 32), 0x6b65_7921, 0),
      key: self)
    return PhiloxKey(UInt64(block.0) | UInt64(block.1) << 32)
  }
}

/// One block of Philox4x32-10: four words that are a function of the counter and the key.
///
/// Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
@inline(__always)
package func philoxBlock(
  counter: (UInt32, UInt32, UInt32, UInt32), key: PhiloxKey
) -> (UInt32, UInt32, UInt32, UInt32) {
  var (c0, c1, c2, c3) = counter
  var (k0, k1) = (key.low, key.high)
  for _ in 0..<10 {
    let p0 = UInt64(c0) &* 0xD251_1F53
    let p1 = UInt64(c2) &* 0xCD9E_8D57
    (c0, c1, c2, c3) = (
      UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: p1),
      UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: p0)
    )
    k0 = k0 &+ 0x9E37_79B9
    k1 = k1 &+ 0xBB67_AE85
  }
  return (c0, c1, c2, c3)
}

/// The random numbers of one key and one `stream`, in order.
///
/// A stream is a position of the counter (an update, a sequence, a draw of the bootstrap); two
/// streams of a key never overlap.
package struct PhiloxStream: RandomNumberGenerator, Sendable {
  private let key: PhiloxKey
  private let stream: UInt64
  private var block: UInt64 = 0
  private var words: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
  private var used = 4

  package init(key: PhiloxKey, stream: UInt64) {
    self.key = key
    self.stream = stream
  }

  /// The next 32 random bits.
  package mutating func word() -> UInt32 {
    if used == 4 {
      words = philoxBlock(
        counter: (
          UInt32(truncatingIfNeeded: block), UInt32(block >> 32),
          UInt32(truncatingIfNeeded: stream), UInt32(stream >> 32)
        ), key: key)
      block += 1
      used = 0
    }
    used += 1
    switch used {
    case 1: return words.0
    case 2: return words.1
    case 3: return words.2
    default: return words.3
    }
  }

  package mutating func next() -> UInt64 {
    let low = UInt64(word())
    return low | UInt64(word()) << 32
  }

  /// A number in [0, 1) with 53 random bits.
  package mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// An integer in 0..<`bound`, without bias.
  ///
  /// `bound` is in 1...2^32 - 1. Algorithm 5 of Lemire, "Fast random integer generation in an
  /// interval", 2019.
  package mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0 && bound <= Int(UInt32.max), "bound is \(bound)")
    let range = UInt32(bound)
    var product = UInt64(word()) &* UInt64(range)
    if UInt32(truncatingIfNeeded: product) < range {
      let threshold = (0 &- range) % range
      while UInt32(truncatingIfNeeded: product) < threshold {
        product = UInt64(word()) &* UInt64(range)
      }
    }
    return Int(product >> 32)
  }
}
