/// Memory of one rank that the others of its team see.
package struct SharedRoom {
  /// At a multiple of 64; its first 4096 bytes are zero at the start.
  package let base: UnsafeMutableRawPointer
  /// Bytes from there, and from any gradient of this rank, to the same of each rank.
  package let distances: [Int]
  /// Where all of them count together, with atomic operations; the same place for every team of a rank.
  package let counter: UnsafeMutablePointer<UInt64>
  /// Tells teams that use the same memory apart.
  package let serial: UInt32

  package init(
    base: UnsafeMutableRawPointer, distances: [Int], counter: UnsafeMutablePointer<UInt64>,
    serial: UInt32
  ) {
    self.base = base
    self.distances = distances
    self.counter = counter
    self.serial = serial
  }
}
