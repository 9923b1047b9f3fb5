import CZstd

/// Why bytes are not a whole Zstandard file.
struct ZstandardError: Error {
  let problem: String
}

/// The contents of all frames of a Zstandard file.
func decompress(zstandard source: [UInt8]) throws(ZstandardError) -> [UInt8] {
  let context = ZSTD_createDCtx()
  defer { ZSTD_freeDCtx(context) }
  var piece = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
  var text: [UInt8] = []
  var consumed = 0
  // Of the last call: 0 at the end of a frame, an error, or a hint that more is to come.
  var status = 1
  repeat {
    var produced = 0
    let before = consumed
    status = source.withUnsafeBytes { source in
      piece.withUnsafeMutableBytes { piece in
        var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: consumed)
        var output = ZSTD_outBuffer(dst: piece.baseAddress, size: piece.count, pos: 0)
        let status = ZSTD_decompressStream(context, &output, &input)
        (consumed, produced) = (input.pos, output.pos)
        return status
      }
    }
    if ZSTD_isError(status) != 0 {
      throw ZstandardError(problem: String(cString: ZSTD_getErrorName(status)))
    }
    text += piece[..<produced]
    guard consumed > before || produced > 0 else { break }
  } while consumed < source.count || status != 0
  guard status == 0 else { throw ZstandardError(problem: "it ends early") }
  return text
}
