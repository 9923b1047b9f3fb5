import MemoryNets
import Testing

@Suite struct TreeSumTests {
  /// Numbers whose sum depends on the order.
  private func sources(_ count: Int, _ length: Int) -> [[Float]] {
    (0..<count).map { source in
      var stream = PhiloxStream(key: PhiloxKey(3), stream: UInt64(source))
      return (0..<length).map { _ in Float((stream.uniform() - 0.5) * 1000) }
    }
  }

  private func tree(_ numbers: [Float]) -> Float {
    var sums = numbers
    while sums.count > 1 {
      sums = stride(from: 0, to: sums.count, by: 2).map { sums[$0] + sums[$0 + 1] }
    }
    return sums[0]
  }

  @Test(arguments: [1, 2, 4, 8, 16, 32]) func sumsAreThoseOfTheTree(count: Int) {
    for level in InstructionSet.available {
      for length in [1, 16, 53] {
        let sources = sources(count, length)
        let pointers = sources.map { source in
          let copy = UnsafeMutablePointer<Float>.allocate(capacity: length)
          for (i, number) in source.enumerated() { copy[i] = number }
          return copy
        }
        defer { for pointer in pointers { pointer.deallocate() } }
        // Over one of the sources, as ranks do it.
        let destination = pointers[count - 1]
        Kernels(level, .float).sumTree(
          pointers.map { UnsafeMutableRawPointer($0) }, sourceCount: count, into: destination,
          count: length)
        for i in 0..<length {
          #expect(destination[i] == tree(sources.map { $0[i] }), "\(level) \(length) \(i)")
        }
      }
    }
  }

  @Test func theOrderMatters() {
    let sources = sources(8, 100)
    #expect(
      (0..<100).contains { i in
        tree(sources.map { $0[i] }) != sources.reduce(0) { $0 + $1[i] }
      })
  }
}
