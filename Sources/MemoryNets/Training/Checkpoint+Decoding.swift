import CKernels
import CZstd

extension Checkpoint {
  /// Reads the contents of a file and verifies every byte; `path` is for messages.
  ///
  /// No length is believed before it is bounded by what is there. Of the sections only those in
  /// `wanted` are looked at and had; without it, all.
  package init(
    decoding file: [UInt8], path: String, sections wanted: Set<String>? = nil
  ) throws(CheckpointError) {
    let problem: DecodingProblem
    do throws(DecodingProblem) {
      self = try file.withUnsafeBufferPointer { (all) throws(DecodingProblem) in
        try Checkpoint.decode(UnsafeRawBufferPointer(all), wanted)
      }
      return
    } catch {
      problem = error
    }
    switch problem {
    case .version(let found): throw .version(path: path, found: found)
    case .damaged(let what): throw .damaged(path: path, problem: what)
    }
  }

  /// Reads the checkpoint at `path`: the sections in `wanted`, or all.
  package init(
    reading path: String, sections wanted: Set<String>? = nil,
    fileSystem: some FileSystem = DiskFileSystem()
  ) throws(CheckpointError) {
    let file: [UInt8]
    do throws(FileSystemError) { file = try fileSystem.read(path) } catch {
      throw .unreadable(error)
    }
    try self.init(decoding: file, path: path, sections: wanted)
  }

  private static func decode(
    _ file: UnsafeRawBufferPointer, _ wanted: Set<String>?
  ) throws(DecodingProblem) -> Checkpoint {
    guard file.starts(with: CheckpointFormat.magic) else {
      throw .damaged("it does not begin as a checkpoint of memsweep")
    }
    var header = ByteReader(file, from: CheckpointFormat.magic.count)
    let version = try header.integer(UInt32.self)
    guard 1...UInt32(formatVersion) ~= version else { throw .version(Int(version)) }
    let headerSize = Int(try header.integer(UInt32.self))
    guard headerSize >= CheckpointFormat.fixedHeaderSize + 8, headerSize <= file.count else {
      throw .damaged("the header is cut off")
    }
    var trailer = ByteReader(file, from: headerSize - 8)
    let covered = UnsafeRawBufferPointer(rebasing: file[..<(headerSize - 8)])
    guard try trailer.integer(UInt64.self) == CheckpointFormat.checksum(covered) else {
      throw .damaged("the header's checksum does not match")
    }
    header.limit = headerSize - 8
    let high = try header.integer(UInt64.self).byteSwapped
    let low = try header.integer(UInt64.self).byteSwapped
    let identity = [high, low].map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
    guard let step = Int(exactly: try header.integer(UInt64.self)) else {
      throw .damaged("the step is out of range")
    }
    let scalarSize = try header.integer(UInt32.self)
    guard let precision = Precision.allCases.first(where: { $0.size == scalarSize }) else {
      throw .damaged("numbers of \(scalarSize) bytes")
    }
    var checkpoint = Checkpoint(identity: identity, step: step, precision: precision)
    let count = try header.integer(UInt32.self)
    var position = headerSize
    let decompressor = Decompressor()
    for _ in 0..<count {
      let entry = try SectionEntry(&header)
      guard entry.storedSize <= file.count - position else {
        throw .damaged("section \(entry.name) is cut off")
      }
      let stored = UnsafeRawBufferPointer(
        rebasing: file[position..<position + entry.storedSize])
      position += entry.storedSize
      guard wanted?.contains(entry.name) ?? true else { continue }
      guard CheckpointFormat.checksum(stored) == entry.checksum else {
        throw .damaged("the checksum of section \(entry.name) does not match")
      }
      checkpoint.append(
        version == 1
          ? try decompressor.decompressFrame(stored, entry)
          : try decompressor.decompressPlanes(stored, entry))
    }
    guard header.position == header.limit else { throw .damaged("the header is too long") }
    guard position == file.count else {
      throw .damaged("\(file.count - position) bytes after the end")
    }
    return checkpoint
  }
}

private enum DecodingProblem: Error {
  case version(Int)
  case damaged(String)
}

/// One line of the table of sections.
private struct SectionEntry {
  /// No frame of zstd holds more than this for each of its bytes: a block of 2^17 takes four.
  private static let maximumRatio = 1 << 15

  let name: String
  let type: Checkpoint.ElementType
  let shape: [Int]
  let rawSize: Int
  let storedSize: Int
  let checksum: UInt64

  init(_ header: inout ByteReader) throws(DecodingProblem) {
    name = try header.string(count: Int(try header.integer(UInt16.self)))
    let code = try header.integer(UInt8.self)
    guard let type = Checkpoint.ElementType(rawValue: code) else {
      throw .damaged("section \(name) has the unknown type \(code)")
    }
    self.type = type
    var (shape, product) = ([Int](), type.size)
    for _ in 0..<(try header.integer(UInt8.self)) {
      let extent = Int(exactly: try header.integer(UInt64.self)) ?? -1
      let (next, overflows) = product.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflows else {
        throw .damaged("the shape of section \(name) is out of range")
      }
      shape.append(extent)
      product = next
    }
    self.shape = shape
    guard let rawSize = Int(exactly: try header.integer(UInt64.self)), rawSize == product else {
      throw .damaged("the length of section \(name) is not that of its shape")
    }
    guard let storedSize = Int(exactly: try header.integer(UInt64.self)),
      rawSize / Self.maximumRatio <= storedSize
    else { throw .damaged("the length of section \(name) is out of range") }
    (self.rawSize, self.storedSize) = (rawSize, storedSize)
    checksum = try header.integer(UInt64.self)
  }
}

/// Little-endian numbers one after another, never past `limit`.
private struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position: Int
  var limit: Int

  init(_ bytes: UnsafeRawBufferPointer, from position: Int) {
    self.bytes = bytes
    self.position = position
    limit = bytes.count
  }

  mutating func integer<Integer: FixedWidthInteger>(
    _ type: Integer.Type
  ) throws(DecodingProblem) -> Integer {
    let size = MemoryLayout<Integer>.size
    guard limit - position >= size else { throw .damaged("the header is cut off") }
    defer { position += size }
    return Integer(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: type))
  }

  mutating func string(count: Int) throws(DecodingProblem) -> String {
    guard limit - position >= count,
      let string = String(validating: bytes[position..<position + count], as: UTF8.self)
    else { throw .damaged("the name of a section is not UTF-8") }
    position += count
    return string
  }
}

/// Turns what stands in the file into sections.
private final class Decompressor {
  private let context: OpaquePointer
  private let block = UnsafeMutableRawBufferPointer.allocate(
    byteCount: CheckpointFormat.blockSize, alignment: 64)

  init() {
    guard let context = ZSTD_createDCtx() else { preconditionFailure("no memory for zstd") }
    self.context = context
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, CheckpointFormat.maximumWindowLog)
  }

  deinit {
    ZSTD_freeDCtx(context)
    block.deallocate()
  }

  /// Of format version 2: each plane of each block for itself, compressed or not.
  func decompressPlanes(
    _ stored: UnsafeRawBufferPointer, _ entry: SectionEntry
  ) throws(DecodingProblem) -> Checkpoint.Section {
    let storage = Checkpoint.Storage(byteCount: entry.rawSize)
    var (position, done) = (0, 0)
    while done < entry.rawSize {
      let length = min(CheckpointFormat.blockSize, entry.rawSize - done)
      let count = length / entry.type.size
      for plane in 0..<entry.type.size {
        guard stored.count - position >= 4 else {
          throw .damaged("section \(entry.name) is too short")
        }
        let size = Int(
          UInt32(littleEndian: stored.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        position += 4
        guard size <= count, size <= stored.count - position else {
          throw .damaged("the length of a plane of section \(entry.name) is out of range")
        }
        let source = UnsafeRawBufferPointer(rebasing: stored[position..<position + size])
        let target = UnsafeMutableRawBufferPointer(
          rebasing: block[plane * count..<(plane + 1) * count])
        position += size
        if size == count {
          target.copyMemory(from: source)
        } else if ZSTD_decompressDCtx(
          context, target.baseAddress, count, source.baseAddress, size) != count
        {
          throw .damaged("section \(entry.name) cannot be decompressed")
        }
      }
      if let source = block.baseAddress, let target = storage.bytes.baseAddress {
        ms_unshuffle(target + done, source, Int64(count), Int32(entry.type.size))
      }
      done += length
    }
    guard position == stored.count else {
      throw .damaged("section \(entry.name) goes on after its end")
    }
    return Checkpoint.Section(
      entry.name, entry.type, shape: entry.shape, bytes: UnsafeRawBufferPointer(storage.bytes),
      owner: storage)
  }

  /// Of format version 1: one zstd frame of all planes.
  func decompressFrame(
    _ stored: UnsafeRawBufferPointer, _ entry: SectionEntry
  ) throws(DecodingProblem) -> Checkpoint.Section {
    ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
    let storage = Checkpoint.Storage(byteCount: entry.rawSize)
    var input = ZSTD_inBuffer(src: stored.baseAddress, size: stored.count, pos: 0)
    var done = 0
    var isComplete = false
    repeat {
      let length = min(CheckpointFormat.blockSize, entry.rawSize - done)
      var output = ZSTD_outBuffer(dst: block.baseAddress, size: length, pos: 0)
      repeat {
        let (before, inputBefore) = (output.pos, input.pos)
        let rest = ZSTD_decompressStream(context, &output, &input)
        isComplete = rest == 0
        let stands = output.pos == before && input.pos == inputBefore
        if ZSTD_isError(rest) != 0 || (stands && !isComplete) {
          throw .damaged("section \(entry.name) cannot be decompressed")
        }
      } while output.pos < length && !isComplete
      guard output.pos == length else { throw .damaged("section \(entry.name) is too short") }
      if let source = block.baseAddress, let target = storage.bytes.baseAddress {
        ms_unshuffle(
          target + done, source, Int64(length / entry.type.size), Int32(entry.type.size))
      }
      done += length
    } while done < entry.rawSize
    if !isComplete {
      var nothing = ZSTD_outBuffer(dst: block.baseAddress, size: 0, pos: 0)
      isComplete = ZSTD_decompressStream(context, &nothing, &input) == 0
    }
    guard isComplete, input.pos == stored.count else {
      throw .damaged("section \(entry.name) goes on after its end")
    }
    return Checkpoint.Section(
      entry.name, entry.type, shape: entry.shape, bytes: UnsafeRawBufferPointer(storage.bytes),
      owner: storage)
  }
}
