import CKernels

/// The memory that a plan's calls work in, all zero at the start.
///
/// An arena for each tile that runs, what tiles share, and scratch.
final class ExecutorMemory {
  /// Bytes from the arena of a tile to that of the next.
  let tileBytes: Int
  let byteCount: Int
  private let base: UnsafeMutableRawPointer
  private let sharedOffset: Int
  private let scratchOffset: Int

  /// Kernels that move lanes read up to a vector before and after what they take.
  private static let guardBytes = Int(MS_LANES) * MemoryLayout<Double>.size

  init(plan: Plan, precision: Precision) {
    func bytes(_ count: Int) -> Int { (count * precision.size + 63) / 64 * 64 }
    tileBytes = bytes(plan.arenaCount)
    sharedOffset = Self.guardBytes + plan.tiles * tileBytes
    scratchOffset = sharedOffset + bytes(plan.sharedCount)
    byteCount = scratchOffset + bytes(plan.scratchCount) + Self.guardBytes
    base = .allocate(byteCount: byteCount, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
  }

  deinit { base.deallocate() }

  /// Writes weights that never change.
  func write(_ weights: [(address: Address, values: [Double])], _ precision: Precision) {
    for (address, values) in weights {
      for (i, value) in values.enumerated() {
        let offset = (address.offset + i) * precision.size
        switch precision {
        case .float: shared.storeBytes(of: Float(value), toByteOffset: offset, as: Float.self)
        case .double: shared.storeBytes(of: value, toByteOffset: offset, as: Double.self)
        }
      }
    }
  }

  func arena(_ tile: Int) -> UnsafeMutableRawPointer { base + Self.guardBytes + tile * tileBytes }
  var shared: UnsafeMutableRawPointer { base + sharedOffset }
  var scratch: UnsafeMutableRawPointer { base + scratchOffset }
}
