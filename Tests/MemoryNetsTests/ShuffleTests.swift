import CKernels
import MemoryNets
import Testing

/// The bytes of elements sorted by their place.
@Suite struct ShuffleTests {
  @Test(arguments: InstructionSet.available, [Precision.float, .double])
  func bytesAreSortedByPlaceAndBack(level: InstructionSet, precision: Precision) {
    let (size, table) = (precision.size, Kernels(level, precision).table.pointee)
    for count in [0, 1, 15, 16, 53, 200] {
      let bytes = (0..<count * size).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 256) }
      var sorted = [UInt8](repeating: 0, count: bytes.count + 1)
      table.shuffle(&sorted, bytes, Int64(count))
      #expect(sorted.last == 0)
      for (i, byte) in bytes.enumerated() {
        #expect(sorted[i % size * count + i / size] == byte, "\(level) \(count) \(i)")
      }
      var restored = [UInt8](repeating: 0, count: bytes.count + 1)
      table.unshuffle(&restored, sorted, Int64(count))
      #expect(restored == bytes + [0])
    }
  }
}
