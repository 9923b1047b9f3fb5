import CZstd

/// The contents of all frames of a Zstandard file.
final class ZstandardStream: ByteStream {
  private let packed: any ByteStream
  private let context = ZSTD_createDCtx()
  private let source = UnsafeMutableRawBufferPointer.allocate(
    byteCount: ZSTD_DStreamInSize(), alignment: 16)
  private var input: ZSTD_inBuffer
  /// Of the last call: 0 at the end of a frame, else a hint that more is to come.
  private var status = 1

  init(_ packed: any ByteStream) {
    self.packed = packed
    input = ZSTD_inBuffer(src: source.baseAddress, size: 0, pos: 0)
  }

  deinit {
    ZSTD_freeDCtx(context)
    source.deallocate()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ByteStreamError) -> Int {
    var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
    while output.pos == 0 {
      if input.pos == input.size {
        let count = try packed.read(into: source)
        if count == 0 {
          // What stands in the context's own memory comes first.
          guard status != 0 else { return 0 }
          status = ZSTD_decompressStream(context, &output, &input)
          if output.pos > 0 { break }
          throw .damaged(problem: "it ends early")
        }
        input = ZSTD_inBuffer(src: source.baseAddress, size: count, pos: 0)
      }
      status = ZSTD_decompressStream(context, &output, &input)
      if ZSTD_isError(status) != 0 {
        throw .damaged(problem: String(cString: ZSTD_getErrorName(status)))
      }
    }
    return output.pos
  }
}
