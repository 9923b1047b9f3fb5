import Foundation
import MemoryNets
import Testing

@Suite struct MusicFileTests {
  static let published = DataFolder.fromEnvironment(argument: nil)

  @Test func theArgumentGoesBeforeTheEnvironment() {
    func path(_ argument: String?, _ variable: String?) -> String? {
      let environment = variable.map { ["MEMSWEEP_DATA": $0] } ?? [:]
      return DataFolder.fromEnvironment(argument: argument, environment: environment).path
    }
    #expect(path("a", "b") == "a")
    #expect(path(nil, "b") == "b")
    #expect(path("", "b") == "b")
    #expect(path(nil, "") == nil)
    #expect(path(nil, nil) == nil)
  }

  @Test func withoutAFolderTheMessageSaysHowToNameOne() {
    #expect {
      _ = try PianoRollSet.jsb.read(from: DataFolder(path: nil))
    } throws: { error in
      "\(error)".hasPrefix(
        "music/converted/jsb_chorales.json.zst: is needed and no data folder was named; "
          + "name the folder that holds it with --data DIR or MEMSWEEP_DATA; the sets of ")
    }
  }

  @Test func aMissingFileIsNamed() throws {
    try withFile(nil) { folder, path in
      #expect(throws: TaskError.missingFile(path: path)) {
        try PianoRollSet.jsb.read(from: folder)
      }
    }
  }

  @Test func aFileThatIsNotZstandardIsDamaged() throws {
    try withFile(Array("{\"train\":[]}".utf8)) { folder, path in
      #expect(
        throws: TaskError.damagedFile(path: path, problem: "Unknown frame descriptor")
      ) {
        try PianoRollSet.jsb.read(from: folder)
      }
    }
  }

  @Test func aFileThatIsCutIsDamaged() throws {
    let whole = zstandard("{\"train\":[[[60],[61]]]}")
    for length in [0, 3, 7, whole.count - 1] {
      try withFile(Array(whole[..<length])) { folder, path in
        #expect(throws: TaskError.damagedFile(path: path, problem: "it ends early")) {
          try PianoRollSet.jsb.read(from: folder)
        }
      }
    }
  }

  @Test func anotherTextIsDamaged() throws {
    try withFile(zstandard("{\"train\":[[[60],[61]]]}")) { folder, path in
      #expect(
        throws: TaskError.damagedFile(path: path, problem: "no \"valid\" at byte 23")
      ) {
        try PianoRollSet.jsb.read(from: folder)
      }
    }
  }

  @Test func otherContentsAreAltered() throws {
    let text = "{\"train\":[[[60],[61]]],\"valid\":[[[60],[61],[]]],\"test\":[[[60],[61]]]}"
    try withFile(zstandard(text)) { folder, path in
      #expect {
        _ = try PianoRollSet.jsb.read(from: folder)
      } throws: { error in
        let message = "\(error)"
        return message.hasPrefix(
          "\(path): was altered: holds 1/1/1 sequences of 2/3/2 frames, digest ")
          && message.contains(
            "not digest \(PianoRollSet.jsb.digest); replace it; the sets of Boulanger-Lewandowski")
      }
    }
  }

  /// Sequences, frames and notes of the published files.
  @Test(
    .enabled(
      if: published.path != nil, "MEMSWEEP_DATA names no data folder: the published sets are absent"
    ),
    arguments: [
      (PianoRollSet.jsb, [229, 76, 77], [13_807, 4602, 4725], [53_824, 17_811, 18_367]),
      (.nottingham, [694, 173, 170], [176_561, 45_513, 44_463], [699_403, 180_192, 177_421]),
      (.musedata, [524, 135, 124], [245_202, 82_755, 64_339], [856_543, 287_893, 211_857]),
      (.pianoMidi, [87, 12, 25], [75_911, 8540, 19_036], [231_089, 27_623, 56_067]),
    ])
  func aPublishedSetHasTheKnownCounts(
    set: PianoRollSet, sequences: [Int], frames: [Int], notes: [Int]
  ) throws {
    let data = try set.read(from: Self.published)
    let rolls = DataSplit.allCases.map { data[$0] }
    #expect(rolls.map(\.count) == sequences)
    #expect(rolls.map(\.frameCount) == frames)
    #expect(rolls.map(\.notes.count) == notes)
    var options = MusicOptions()
    (options.set, options.unroll) = (set, 100)
    let kind = try #require(TaskRegistry.kind(named: "music"))
    let task = try kind.make(options, PhiloxKey(1), Self.published)
    #expect(task.dataDigest == set.digest)
    // Every frame but the first of each sequence is predicted, in pieces of the default length.
    var predicted = 0.0
    let batch = Batch(shape: task.shape, maximumRows: 16)
    for index in 0..<task.evaluationBatchCount(.test, batchSize: 16) {
      task.fillEvaluation(batch, split: .test, index: index, batchSize: 16)
      predicted += batch.weights.prefix(batch.answers * batch.rows).reduce(0) { $0 + Double($1) }
    }
    #expect(Int(predicted) == frames[2] - sequences[2])
  }

  /// Runs `body` on a data folder whose JSB file has these bytes, or is absent.
  private func withFile(
    _ bytes: [UInt8]?, _ body: (_ folder: DataFolder, _ path: String) throws -> Void
  ) throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent(
      "memsweep-music-\(UUID().uuidString)")
    let file = root.appendingPathComponent(PianoRollSet.jsb.file)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    if let bytes { try Data(bytes).write(to: file) }
    try body(DataFolder(path: root.path), file.path)
  }

  /// One Zstandard frame with one uncompressed block: RFC 8878, section 3.1.1.
  private func zstandard(_ text: String) -> [UInt8] {
    let contents = Array(text.utf8)
    precondition(contents.count < 256, "the frame header has one byte for the size")
    let header = contents.count << 3 | 1
    return [0x28, 0xb5, 0x2f, 0xfd, 0x20, UInt8(contents.count)]
      + [UInt8(header & 255), UInt8(header >> 8), 0] + contents
  }
}
