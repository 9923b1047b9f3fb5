/// Floats rounded to their upper 16 bits: the range of a float, three decimal places.
package enum BrainFloat {
  /// Rounds to nearest, ties to even.
  package static func encode(
    _ floats: UnsafeRawPointer, into halves: UnsafeMutableRawPointer, count: Int
  ) {
    let source = floats.assumingMemoryBound(to: UInt32.self)
    let target = halves.assumingMemoryBound(to: UInt16.self)
    for i in 0..<count {
      let bits = source[i]
      let rounded = (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16
      let isNumber = bits & 0x7fff_ffff <= 0x7f80_0000
      target[i] = UInt16(truncatingIfNeeded: isNumber ? rounded : bits >> 16 | 0x40)
    }
  }

  package static func decode(
    _ halves: UnsafeRawPointer, into floats: UnsafeMutableRawPointer, count: Int
  ) {
    let source = halves.assumingMemoryBound(to: UInt16.self)
    let target = floats.assumingMemoryBound(to: UInt32.self)
    for i in 0..<count { target[i] = UInt32(source[i]) << 16 }
  }
}
