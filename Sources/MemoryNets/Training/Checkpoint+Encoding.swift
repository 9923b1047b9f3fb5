import CKernels
import CXXHash
import CZstd

/// The numbers that both directions of the file format share.
package enum CheckpointFormat {
  package static let magic = Array("memsweep".utf8)
  /// Bytes before the first entry of the table of sections.
  package static let fixedHeaderSize = 48
  /// Numbers are shuffled in blocks of this many bytes.
  package static let blockSize = 1 << 20
  package static let compressionLevel: Int32 = 1
  /// Of the compressor's hash table for numbers: they hold no repetitions worth finding, and a small
  /// table doubles the speed.
  package static let numberHashLog: Int32 = 6
  /// 2^23 bytes: more than level 1 asks for, little enough for any reader.
  package static let maximumWindowLog: Int32 = 23

  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    XXH3_64bits(bytes.baseAddress, bytes.count)
  }
}

extension Checkpoint {
  /// The contents of the file; equal checkpoints give equal bytes.
  package func encoded() -> [UInt8] {
    let tableSize = sections.reduce(0) { $0 + 28 + $1.name.utf8.count + 8 * $1.shape.count }
    let headerSize = CheckpointFormat.fixedHeaderSize + tableSize + 8
    let bound = sections.reduce(headerSize) { $0 + ZSTD_compressBound($1.bytes.count) }
    return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      let file = UnsafeMutableRawBufferPointer(buffer)
      let compressor = Compressor()
      count = headerSize
      var stored: [UnsafeRawBufferPointer] = []
      for section in sections {
        let end = compressor.compress(section, into: file, at: count)
        stored.append(UnsafeRawBufferPointer(rebasing: file[count..<end]))
        count = end
      }
      let header = header(size: headerSize, stored: stored)
      file.copyBytes(from: header)
    }
  }

  private func header(size: Int, stored: [UnsafeRawBufferPointer]) -> [UInt8] {
    var bytes = CheckpointFormat.magic
    func append(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    append(UInt32(Self.formatVersion))
    append(UInt32(size))
    for half in [identity.prefix(16), identity.suffix(16)] {
      append((UInt64(half, radix: 16) ?? 0).byteSwapped)
    }
    append(UInt64(step))
    append(UInt32(precision.size))
    append(UInt32(sections.count))
    for (section, stored) in zip(sections, stored) {
      append(UInt16(section.name.utf8.count))
      bytes.append(contentsOf: section.name.utf8)
      append(section.type.rawValue)
      append(UInt8(section.shape.count))
      for extent in section.shape { append(UInt64(extent)) }
      append(UInt64(section.bytes.count))
      append(UInt64(stored.count))
      append(CheckpointFormat.checksum(stored))
    }
    append(bytes.withUnsafeBytes(CheckpointFormat.checksum))
    return bytes
  }
}

/// Turns sections into zstd frames.
private final class Compressor {
  private let context: OpaquePointer
  private let block = UnsafeMutableRawBufferPointer.allocate(
    byteCount: CheckpointFormat.blockSize, alignment: 64)

  init() {
    guard let context = ZSTD_createCCtx() else { preconditionFailure("no memory for zstd") }
    self.context = context
    ZSTD_CCtx_setParameter(
      context, ZSTD_c_compressionLevel, CheckpointFormat.compressionLevel)
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
  }

  deinit {
    ZSTD_freeCCtx(context)
    block.deallocate()
  }

  /// Appends the frame of `section` at `start`; returns its end.
  func compress(
    _ section: Checkpoint.Section, into file: UnsafeMutableRawBufferPointer, at start: Int
  ) -> Int {
    ZSTD_CCtx_reset(context, ZSTD_reset_session_only)
    ZSTD_CCtx_setParameter(
      context, ZSTD_c_hashLog, section.type == .byte ? 0 : CheckpointFormat.numberHashLog)
    ZSTD_CCtx_setPledgedSrcSize(context, UInt64(section.bytes.count))
    var output = ZSTD_outBuffer(dst: file.baseAddress, size: file.count, pos: start)
    var done = 0
    repeat {
      let length = min(CheckpointFormat.blockSize, section.bytes.count - done)
      let piece = UnsafeRawBufferPointer(rebasing: section.bytes[done..<done + length])
      if let source = piece.baseAddress, let target = block.baseAddress {
        ms_shuffle(target, source, Int64(length / section.type.size), Int32(section.type.size))
      }
      done += length
      var input = ZSTD_inBuffer(src: block.baseAddress, size: length, pos: 0)
      let directive = done == section.bytes.count ? ZSTD_e_end : ZSTD_e_continue
      // The file has room for the bound of every frame, so one call takes the whole block.
      let rest = ZSTD_compressStream2(context, &output, &input, directive)
      precondition(
        ZSTD_isError(rest) == 0 && input.pos == length
          && (directive == ZSTD_e_continue || rest == 0),
        "zstd: \(String(cString: ZSTD_getErrorName(rest)))")
    } while done < section.bytes.count
    return output.pos
  }
}
