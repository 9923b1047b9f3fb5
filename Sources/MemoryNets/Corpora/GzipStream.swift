import CZlib

/// The contents of all members of a gzip file.
final class GzipStream: ByteStream {
  private let packed: any ByteStream
  private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var stream = z_stream()
  /// Whether a member has begun and not ended.
  private var isWithin = false
  private var hasMembers = false

  init(_ packed: any ByteStream) {
    self.packed = packed
    // 15 bits of window, and 16 for the header and trailer of gzip.
    let status = inflateInit2_(
      &stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib has no room")
  }

  deinit {
    inflateEnd(&stream)
    input.deallocate()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ByteStreamError) -> Int {
    stream.next_out = buffer.baseAddress?.assumingMemoryBound(to: Bytef.self)
    stream.avail_out = uInt(buffer.count)
    while Int(stream.avail_out) == buffer.count {
      if stream.avail_in == 0 {
        let count = try packed.read(into: input)
        if count == 0 {
          guard hasMembers, !isWithin else {
            throw .damaged(problem: hasMembers ? "it ends early" : "it is no gzip file")
          }
          return 0
        }
        stream.next_in = input.baseAddress?.assumingMemoryBound(to: Bytef.self)
        stream.avail_in = uInt(count)
      }
      isWithin = true
      let status = inflate(&stream, Z_NO_FLUSH)
      switch status {
      case Z_OK, Z_BUF_ERROR: hasMembers = true
      case Z_STREAM_END:
        (hasMembers, isWithin) = (true, false)
        inflateReset(&stream)
      default: throw .damaged(problem: problem)
      }
    }
    return buffer.count - Int(stream.avail_out)
  }

  private var problem: String {
    guard hasMembers else { return "it is no gzip file" }
    return stream.msg.map { String(cString: $0) } ?? "it is no whole gzip file"
  }
}
