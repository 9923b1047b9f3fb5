/// The order of `count` sequences in each epoch: a permutation by key and epoch.
///
/// Keeps the permutation of the last epoch asked for. Any epoch can be asked for at any time.
package final class EpochOrder {
  package let count: Int
  private let key: PhiloxKey
  private let numbers: UnsafeMutableBufferPointer<Int32>
  private var current = -1

  package init(count: Int, key: PhiloxKey) {
    precondition(1...Int(Int32.max) ~= count, "\(count) sequences")
    self.count = count
    self.key = key
    numbers = .allocate(capacity: count)
    numbers.initialize(repeating: 0)
  }

  deinit { numbers.deallocate() }

  var byteCount: Int { count * MemoryLayout<Int32>.stride }

  /// The sequences of `epoch` in their order; valid until another epoch is asked for.
  package func sequences(ofEpoch epoch: Int) -> UnsafeBufferPointer<Int32> {
    if epoch != current {
      var draws = PhiloxStream(key: key, stream: UInt64(epoch))
      for i in 0..<count { numbers[i] = Int32(truncatingIfNeeded: i) }
      // Fisher-Yates, in place.
      for i in stride(from: count - 1, to: 0, by: -1) {
        numbers.swapAt(i, draws.integer(below: i + 1))
      }
      current = epoch
    }
    return UnsafeBufferPointer(numbers)
  }
}
