import Foundation
import MemoryNets
import Testing

@Suite struct CheckpointTests {
  static let identity = "0123456789abcdeffedcba9876543210"

  /// Sections of every type, one empty, one of several blocks when `count` is large.
  static func checkpoint(
    step: Int = 7, count: Int = 19, precision: Precision = .float, identity: String = identity
  ) -> Checkpoint {
    let storage = Checkpoint.Storage(byteCount: count * precision.size)
    var random = PhiloxStream(key: PhiloxKey(5), stream: UInt64(step))
    storage.bytes.store((0..<count).map { _ in random.normal() }, at: 0, precision)
    let layout = ParameterLayout(
      ParameterStore(
        precision: precision,
        views: [
          ParameterView(name: "layer0.W_x", group: .controller, shape: [2, 5], offset: 0),
          ParameterView(
            name: "readout.b", group: .readout, shape: [count - 10], offset: 10),
        ]))
    return Checkpoint(
      identity: identity, step: step, precision: precision,
      sections: [
        Checkpoint.Section("layout", json: layout),
        Checkpoint.Section(
          "weights", .init(precision), shape: [count],
          bytes: UnsafeRawBufferPointer(storage.bytes), owner: storage),
        Checkpoint.Section("carried_state", copying: []),
        Checkpoint.Section("trainer", copying: Array("the state".utf8)),
      ])
  }

  static func expectEqual(_ a: Checkpoint, _ b: Checkpoint) {
    #expect(a.identity == b.identity)
    #expect(a.step == b.step)
    #expect(a.precision == b.precision)
    #expect(a.sections.map(\.name) == b.sections.map(\.name))
    for (x, y) in zip(a.sections, b.sections) {
      #expect(x.type == y.type && x.shape == y.shape)
      #expect(x.bytes.elementsEqual(y.bytes), "\(x.name)")
    }
  }

  @Test(arguments: Precision.allCases, [19, 262_144, 262_145, 700_001])
  func whatIsWrittenIsRead(precision: Precision, count: Int) throws {
    let checkpoint = Self.checkpoint(count: count, precision: precision)
    let bytes = checkpoint.encoded()
    Self.expectEqual(try Checkpoint(decoding: bytes, path: "x"), checkpoint)
    #expect(checkpoint.encoded() == bytes)
    #expect(count < 1000 || bytes.count < count * precision.size)
  }

  @Test func onlyWhatIsWantedIsLookedAt() throws {
    let whole = Self.checkpoint()
    let bytes = whole.encoded()
    let some = try Checkpoint(decoding: bytes, path: "x", sections: ["trainer", "unheard of"])
    #expect(some.sections.map(\.name) == ["trainer"] && some.step == whole.step)
    #expect(some.sections[0].bytes.elementsEqual(Array("the state".utf8)))
    // The last byte is the trainer's.
    var damaged = bytes
    damaged[bytes.count - 1] ^= 1
    _ = try Checkpoint(decoding: damaged, path: "x", sections: ["weights"])
    #expect(throws: CheckpointError.self) {
      try Checkpoint(decoding: damaged, path: "x", sections: ["trainer"])
    }
  }

  @Test func everyBitFlippedAndEveryCutIsFound() {
    let bytes = Self.checkpoint().encoded()
    for place in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[place] ^= 1 << bit
        #expect(throws: CheckpointError.self, "bit \(bit) of byte \(place)") {
          try Checkpoint(decoding: damaged, path: "x")
        }
      }
      #expect(throws: CheckpointError.self, "cut to \(place) bytes") {
        try Checkpoint(decoding: Array(bytes[..<place]), path: "x")
      }
    }
    #expect(throws: CheckpointError.self) { try Checkpoint(decoding: bytes + [0], path: "x") }
  }

  /// Damage whose checksums are right: nothing may crash, or allocate what is not there.
  @Test func forgedHeadersAreRefusedOrHarmless() throws {
    let bytes = Self.checkpoint().encoded()
    let headerSize = Int(bytes[12]) | Int(bytes[13]) << 8
    var random = PhiloxStream(key: PhiloxKey(11), stream: 0)
    var refused = 0
    for _ in 0..<4000 {
      var forged = bytes
      for _ in 0...random.integer(below: 3) {
        let place = 16 + random.integer(below: headerSize - 8 - 16)
        forged[place] = random.integer(below: 2) == 0 ? 0xff : UInt8(random.integer(below: 256))
      }
      let sum = forged[..<(headerSize - 8)].withUnsafeBytes(CheckpointFormat.checksum)
      withUnsafeBytes(of: sum.littleEndian) {
        forged.replaceSubrange(headerSize - 8..<headerSize, with: $0)
      }
      do { _ = try Checkpoint(decoding: forged, path: "x") } catch { refused += 1 }
    }
    #expect(refused > 2000, "\(refused)")
  }

  @Test func messagesNamePlaceProblemAndRemedy() {
    var bytes = Self.checkpoint().encoded()
    bytes[8] = 9
    #expect(throws: CheckpointError.version(path: "a/step-7.ckpt", found: 9)) {
      try Checkpoint(decoding: bytes, path: "a/step-7.ckpt")
    }
    #expect(
      "\(CheckpointError.version(path: "a/step-7.ckpt", found: 9))"
        == "a/step-7.ckpt: format version 9, this program reads 1 to 2; use the program that wrote it"
    )
    bytes[8] = UInt8(Checkpoint.formatVersion)
    bytes[bytes.count - 1] ^= 1
    #expect(
      throws: CheckpointError.damaged(
        path: "a", problem: "the checksum of section trainer does not match")
    ) { try Checkpoint(decoding: bytes, path: "a") }
    #expect(throws: CheckpointError.self) { try Checkpoint(reading: "/nowhere/x.ckpt") }
  }

  private static func goldenPath(version: Int) throws -> String {
    try #require(
      Bundle.module.url(
        forResource: "checkpoint-v\(version)", withExtension: "ckpt",
        subdirectory: "Fixtures/checkpoints")
    ).path
  }

  /// Every version is read for ever.
  ///
  /// The files were written by another program, `make_checkpoint.py`, from the description of the
  /// format.
  @Test(arguments: 1...Checkpoint.formatVersion)
  func theGoldenFileOfEveryVersionIsRead(version: Int) throws {
    let checkpoint = try Checkpoint(reading: try Self.goldenPath(version: version))
    #expect(checkpoint.identity == "0123456789abcdef00112233445566ff")
    #expect(checkpoint.step == 1234)
    #expect(checkpoint.precision == .float)
    #expect(
      checkpoint.sections.map(\.name) == ["layout", "weights", "carried_state", "large"])
    let layout = try #require(checkpoint.section(named: "layout")?.json(ParameterLayout.self))
    #expect(layout.parameters.map(\.name) == ["layer0.W_x", "readout.b"])
    #expect(layout.parameters.map(\.group) == [.controller, .readout])
    #expect(layout.parameters.map(\.shape) == [[3, 4], [5]])
    let weights = try #require(checkpoint.section(named: "weights"))
    #expect(
      Array(weights.bytes.bindMemory(to: Float.self)) == (0..<17).map { Float($0) * 0.25 - 1 })
    #expect(checkpoint.section(named: "carried_state")?.bytes.count == 0)
    let large = try #require(checkpoint.section(named: "large"))
    #expect(large.shape == [280, 500])
    #expect(large.bytes.bindMemory(to: Double.self).elementsEqual((0..<140_000).map(Double.init)))
  }

  @Test(arguments: 1...Checkpoint.formatVersion)
  func damageToEveryVersionIsFound(version: Int) throws {
    let bytes = try DiskFileSystem().read(try Self.goldenPath(version: version))
    #expect(Int(bytes[8]) == version)
    for place in stride(from: 0, to: bytes.count, by: 7) {
      var damaged = bytes
      damaged[place] ^= 1 << (place % 8)
      #expect(throws: CheckpointError.self, "byte \(place)") {
        try Checkpoint(decoding: damaged, path: "x")
      }
      #expect(throws: CheckpointError.self, "cut to \(place) bytes") {
        try Checkpoint(decoding: Array(bytes[..<place]), path: "x")
      }
    }
  }

  /// Damage that the checksum of a section does not show, since it was made before it.
  @Test func planesOfWrongLengthAreRefused() throws {
    let bytes = Self.checkpoint().encoded()
    let headerSize = Int(bytes[12]) | Int(bytes[13]) << 8
    var refused = 0
    for place in headerSize..<bytes.count {
      var forged = bytes
      forged[place] = forged[place] &+ 1
      Self.repairChecksums(&forged, headerSize: headerSize)
      if (try? Checkpoint(decoding: forged, path: "x")) == nil { refused += 1 }
    }
    // Lengths and frames; in a plane that stands as it is every byte is possible.
    #expect(refused > 40)
  }

  /// Makes every checksum that of what is there.
  private static func repairChecksums(_ bytes: inout [UInt8], headerSize: Int) {
    func number(_ place: Int, _ size: Int) -> Int {
      (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }
    func put(_ sum: UInt64, at place: Int) {
      withUnsafeBytes(of: sum.littleEndian) { bytes.replaceSubrange(place..<place + 8, with: $0) }
    }
    var (entry, section) = (48, headerSize)
    for _ in 0..<number(44, 4) {
      entry += 2 + number(entry, 2)
      entry += 2 + 8 * number(entry + 1, 1)
      let size = number(entry + 8, 8)
      put(
        bytes[section..<section + size].withUnsafeBytes(CheckpointFormat.checksum), at: entry + 16)
      (entry, section) = (entry + 24, section + size)
    }
    put(
      bytes[..<(headerSize - 8)].withUnsafeBytes(CheckpointFormat.checksum), at: headerSize - 8)
  }

  @Test func jsonKeepsEveryBitOfADouble() throws {
    let numbers: [Double] = [
      0.1, -0.0, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 1 / 3,
      1e22, -1e-7,
      0x1.fffffffffffffp-1, 123_456_789.123_456_79,
    ]
    let section = Checkpoint.Section("x", json: numbers)
    let read = try #require(section.json([Double].self))
    #expect(read.map(\.bitPattern) == numbers.map(\.bitPattern))
  }
}
