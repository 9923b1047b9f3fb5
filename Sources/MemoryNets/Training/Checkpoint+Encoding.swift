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
  /// 2^23 bytes: more than level 1 asks for, little enough for any reader.
  package static let maximumWindowLog: Int32 = 23

  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    XXH3_64bits(bytes.baseAddress, bytes.count)
  }
}

extension Checkpoint {
  /// The size of a section in the file and its checksum.
  fileprivate struct StoredSection {
    let size: Int
    let checksum: UInt64
  }

  /// Hands the contents of the file to `write` in pieces, each with its place; the header, which
  /// tells of all others, is the last.
  ///
  /// Equal checkpoints give equal bytes. What it needs of memory does not grow with the weights.
  package func encode<Failure: Error>(
    _ write: (UnsafeRawBufferPointer, _ place: Int) throws(Failure) -> Void
  ) throws(Failure) {
    let tableSize = sections.reduce(0) { $0 + 28 + $1.name.utf8.count + 8 * $1.shape.count }
    let headerSize = CheckpointFormat.fixedHeaderSize + tableSize + 8
    let compressor = Compressor(sections, from: headerSize)
    var stored: [StoredSection] = []
    for section in sections { stored.append(try compressor.append(section, write)) }
    try compressor.flush(write)
    let header = header(size: headerSize, stored: stored)
    try header.withUnsafeBufferPointer { (bytes) throws(Failure) in
      try write(UnsafeRawBufferPointer(bytes), 0)
    }
  }

  /// About what `encode` takes of memory: two buffers, and what zstd asks for.
  package static func encodingBytes(largestSection: Int, size: Int) -> Int {
    let block = min(CheckpointFormat.blockSize, largestSection)
    let plane = block / size
    return block + 2 * plane + min(640_000, 20_000 + 4 * plane)
  }

  /// The contents of the file.
  package func encoded() -> [UInt8] {
    var file: [UInt8] = []
    encode { piece, place in
      let missing = place + piece.count - file.count
      if missing > 0 { file.append(contentsOf: repeatElement(0, count: missing)) }
      file.replaceSubrange(place..<place + piece.count, with: piece)
    }
    return file
  }

  private func header(size: Int, stored: [StoredSection]) -> [UInt8] {
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
      append(UInt64(stored.size))
      append(stored.checksum)
    }
    append(bytes.withUnsafeBytes(CheckpointFormat.checksum))
    return bytes
  }
}

/// Turns sections into what stands in the file, one after the other, and hands it over in pieces.
private final class Compressor {
  private let context: OpaquePointer
  private let checksum: OpaquePointer
  /// Elements with their bytes sorted, to be compressed.
  private let block: UnsafeMutableRawBufferPointer
  /// The piece of the file that is being filled, where it stands, and what of it is filled and part
  /// of the section's checksum.
  private let piece: UnsafeMutableRawBufferPointer
  private var place: Int
  private var filled = 0
  private var summed = 0

  /// The first of `sections` stands at `place` of the file.
  init(_ sections: [Checkpoint.Section], from place: Int) {
    guard let context = ZSTD_createCCtx(), let checksum = XXH3_createState() else {
      preconditionFailure("no memory for zstd")
    }
    self.context = context
    self.checksum = checksum
    self.place = place
    func largest(_ size: (Checkpoint.Section) -> Int) -> Int {
      sections.reduce(1) { max($0, min(CheckpointFormat.blockSize, $1.bytes.count) / size($1)) }
    }
    block = .allocate(byteCount: largest { _ in 1 }, alignment: 64)
    piece = .allocate(
      byteCount: 2 * (4 + ZSTD_compressBound(largest(\.type.size))), alignment: 64)
    ZSTD_CCtx_setParameter(
      context, ZSTD_c_compressionLevel, CheckpointFormat.compressionLevel)
  }

  deinit {
    ZSTD_freeCCtx(context)
    XXH3_freeState(checksum)
    block.deallocate()
    piece.deallocate()
  }

  /// Appends `section`.
  func append<Failure: Error>(
    _ section: Checkpoint.Section,
    _ write: (UnsafeRawBufferPointer, Int) throws(Failure) -> Void
  ) throws(Failure) -> Checkpoint.StoredSection {
    adapt(to: section.type)
    XXH3_64bits_reset(checksum)
    summed = filled
    let start = place + filled
    var done = 0
    while done < section.bytes.count {
      let size = section.type.size
      let length = min(CheckpointFormat.blockSize, section.bytes.count - done)
      let part = UnsafeRawBufferPointer(rebasing: section.bytes[done..<done + length])
      let count = length / size
      if let source = part.baseAddress, let target = block.baseAddress {
        ms_shuffle(target, source, Int64(count), Int32(size))
      }
      done += length
      for plane in 0..<size {
        if piece.count - filled < 4 + ZSTD_compressBound(count) { try flush(write) }
        append(
          plane: UnsafeRawBufferPointer(rebasing: block[plane * count..<(plane + 1) * count]),
          isCompressible: size == 1
            || ms_is_uneven(block.baseAddress.map { $0 + plane * count }, Int64(count)) != 0)
      }
    }
    sum()
    return Checkpoint.StoredSection(
      size: place + filled - start, checksum: XXH3_64bits_digest(checksum))
  }

  /// Hands over the piece so far.
  func flush<Failure: Error>(
    _ write: (UnsafeRawBufferPointer, Int) throws(Failure) -> Void
  ) throws(Failure) {
    sum()
    try write(UnsafeRawBufferPointer(rebasing: piece[..<filled]), place)
    place += filled
    (filled, summed) = (0, 0)
  }

  /// Appends the length of the plane in the file and the plane: as a zstd frame if that is smaller.
  private func append(plane: UnsafeRawBufferPointer, isCompressible: Bool) {
    let target = UnsafeMutableRawBufferPointer(rebasing: piece[(filled + 4)...])
    var size = plane.count
    if isCompressible {
      let made = ZSTD_compress2(
        context, target.baseAddress, target.count, plane.baseAddress, plane.count)
      precondition(
        ZSTD_isError(made) == 0, "zstd: \(String(cString: ZSTD_getErrorName(made)))")
      size = min(made, size)
    }
    if size == plane.count { target.copyMemory(from: plane) }
    piece.storeBytes(of: UInt32(size).littleEndian, toByteOffset: filled, as: UInt32.self)
    filled += 4 + size
  }

  private func sum() {
    guard let base = piece.baseAddress else { return }
    XXH3_64bits_update(checksum, base + summed, filled - summed)
    summed = filled
  }

  /// Numbers hold no repetitions worth finding, only bytes that are more frequent than others:
  /// looking for repetitions is all but switched off, which doubles the speed.
  private func adapt(to type: Checkpoint.ElementType) {
    let isNumber = type != .byte
    ZSTD_CCtx_setParameter(context, ZSTD_c_strategy, isNumber ? Int32(ZSTD_fast.rawValue) : 0)
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, isNumber ? 17 : 0)
    ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, isNumber ? 6 : 0)
    ZSTD_CCtx_setParameter(context, ZSTD_c_targetLength, isNumber ? 1 << 17 : 0)
    // The mode of literals: by default they are not coded with such a target length. (A library
    // without this parameter refuses it and makes larger files.)
    ZSTD_CCtx_setParameter(context, ZSTD_c_experimentalParam5, isNumber ? 1 : 0)
  }
}
