import Foundation
import MemoryNets
import Testing

@Suite struct MusicTests {
  private func parse(_ text: String) throws -> PianoRollData {
    try Array(text.utf8).withUnsafeBufferPointer { try PianoRollParser.parse($0) }
  }

  private let small =
    "{\"train\": [[[60,64],[],[108, 21]], [[62],[62]]],\n \"valid\":[[[60],[60,67]]],"
    + "\"test\":[[[],[]]]}"

  @Test func aFrameIsItsNotesFromTheLowest() throws {
    let data = try parse(small)
    #expect(data.train.count == 2)
    #expect(data.train.frameCount == 5)
    #expect(data.train.notes == [39, 43, 0, 87, 41, 41])
    #expect(data.train.noteStarts == [0, 2, 2, 4, 5, 6])
    #expect(data.train.frameStarts == [0, 3, 5])
    #expect(data.validation.frameCount == 2)
    #expect(data.test.longestSteps == 1)
  }

  @Test(arguments: [
    ("", "no \"{\" at byte 0"),
    ("{\"train\":[]}", "an empty split at byte 9"),
    ("{\"train\":[[[60]]]}", "a sequence of fewer than two frames at byte 10"),
    ("{\"train\":[[[60],[20]]]}", "no MIDI note, 21 to 108, at byte 17"),
    ("{\"train\":[[[60],[109]]]}", "no MIDI note, 21 to 108, at byte 17"),
    ("{\"train\":[[[60],[60.5]]]}", "no \"]\" at byte 19"),
    ("{\"train\":[[[60],[64,60,64]]]}", "a note twice in a frame at byte 16"),
    ("{\"train\":[[[60],[61]]]", "no \"}\" at byte 22"),
    ("{\"train\":[[[60],[61]]]}", "no \"valid\" at byte 23"),
    ("{\"dev\":1}", "\"dev\" is none of train, valid and test at byte 1"),
    ("{\"test\":[[[60],[61]]],\"test\":1}", "a second \"test\" at byte 22"),
  ])
  func aWrongTextIsRefusedWithItsPlace(text: String, message: String) {
    #expect {
      _ = try parse(text)
    } throws: { error in
      "\(error)" == message
    }
  }

  @Test func theDigestIsOfTheContentsNotOfTheText() throws {
    let digest = PianoRollSet.digest(of: try parse(small))
    let spaced = small.replacingOccurrences(of: ",", with: " ,\n")
    #expect(PianoRollSet.digest(of: try parse(spaced)) == digest)
    let other = small.replacingOccurrences(of: "[62],[62]", with: "[62],[63]")
    #expect(PianoRollSet.digest(of: try parse(other)) != digest)
    // The same notes, cut into frames and sequences at other places.
    let moved = small.replacingOccurrences(of: "[60],[60,67]", with: "[60,67],[60]")
    #expect(PianoRollSet.digest(of: try parse(moved)) != digest)
    let texts = ["[[[60],[61]],[[62],[63]]]", "[[[60],[61],[62],[63]]]", "[[[60,61],[62,63]]]"]
    let digests = try texts.map { train in
      PianoRollSet.digest(
        of: try parse("{\"train\":\(train),\"valid\":[[[60],[61]]],\"test\":[[[60],[61]]]}"))
    }
    #expect(Set(digests).count == 3)
  }

  @Test func eachStepPredictsTheNextFrame() throws {
    var options = MusicOptions()
    options.lengthPool = 1
    let task = MusicTask(options: options, rolls: try parse(small), key: PhiloxKey(1))
    let batch = BatchReader(task, batchSize: 2).evaluation(.train)[0]
    #expect((batch.rows, batch.steps) == (2, 2))
    func ones(_ numbers: ArraySlice<Float>) -> [Int] {
      numbers.enumerated().filter { $0.element == 1 }.map(\.offset)
    }
    let long = batch.records(row: 0)
    #expect(long.map { ones($0[..<88]) } == [[39, 43], []])
    #expect(long.map { ones($0[88..<176]) } == [[], [0, 87]])
    #expect(long.map(\.last) == [1, 1])
    let short = batch.records(row: 1)
    #expect(short.map { ones($0[..<88]) } == [[41], []])
    #expect(short.map { ones($0[88..<176]) } == [[41], []])
    #expect(short.map(\.last) == [1, 0])
  }

  @Test func piecesOfABatchAreTheWholeInOrder() {
    let rolls = TaskSample.randomRolls(sizes: [20, 8, 8])
    func batches(unroll: Int, count: Int) -> [BatchContents] {
      var options = MusicOptions()
      options.unroll = unroll
      let task = MusicTask(options: options, rolls: rolls, key: PhiloxKey(9))
      return (0..<count).map(BatchReader(task, batchSize: 4).training)
    }
    let whole = batches(unroll: 0, count: 5)
    let expected = BatchReader.sequences(in: whole)
    let pieceCount = whole.reduce(0) { $0 + ($1.steps + 2) / 3 }
    let pieces = batches(unroll: 3, count: pieceCount)
    #expect(BatchReader.sequences(in: pieces) == expected)
    #expect(pieces.allSatisfy { $0.steps <= 3 })
    #expect(pieces.count { !$0.continuesState } == 5)
  }

  @Test func poolingByLengthLeavesLessPadding() {
    let rolls = TaskSample.randomRolls(sizes: [64, 4, 4])
    func padding(pool: Int) -> Int {
      var options = MusicOptions()
      options.lengthPool = pool
      let task = MusicTask(options: options, rolls: rolls, key: PhiloxKey(9))
      let reader = BatchReader(task, batchSize: 4)
      return (0..<16).reduce(0) { $0 + reader.training($1).weights.count { $0 == 0 } }
    }
    #expect(padding(pool: 16) < padding(pool: 4))
    #expect(padding(pool: 4) < padding(pool: 1))
  }

  @Test func batchesOfAPoolAreNotInOrderOfLength() {
    let rolls = TaskSample.randomRolls(sizes: [64, 4, 4])
    var options = MusicOptions()
    options.lengthPool = 16
    let reader = BatchReader(
      MusicTask(options: options, rolls: rolls, key: PhiloxKey(9)), batchSize: 4)
    let steps = (0..<16).map { reader.training($0).steps }
    #expect(steps != steps.sorted(by: >) && steps != steps.sorted())
  }

  @Test func aTrainingSetSmallerThanABatchIsOneBatch() {
    let rolls = TaskSample.randomRolls(sizes: [5, 2, 2])
    let task = MusicTask(options: MusicOptions(), rolls: rolls, key: PhiloxKey(9))
    let reader = BatchReader(task, batchSize: 8)
    #expect((0..<4).allSatisfy { reader.training($0).rows == 5 })
  }

  @Test func baselinesAreCountedOnPredictedFrames() throws {
    let data = try parse(
      "{\"train\":[[[21],[60],[60],[60]]],\"valid\":[[[60],[60],[60,62]]],\"test\":[[[],[]]]}")
    let baselines = musicBaselines(data)
    func value(_ name: String, _ metric: String) -> Double? {
      baselines.first { $0.name == name && $0.metric == metric }?.value
    }
    // Three predicted training frames, all with note 60: p = 4/5 for it, 1/5 for the 87 others.
    let (hit, miss) = (-log(0.8), -log(0.2))
    let loss = try #require(value("note frequencies", "validation.loss"))
    #expect(abs(loss - ((hit + 87 * hit) + (hit + 86 * hit + miss)) / 2) < 1e-9)
    #expect(value("note frequencies", "validation.frame_accuracy") == 2.0 / 3)
    #expect(value("repeated frame", "validation.frame_accuracy") == 2.0 / 3)
    #expect(value("repeated frame", "test.frame_accuracy") == 0)
    #expect(value("note frequencies", "test.frame_accuracy") == 0)
  }

  @Test func optionsOutOfRangeAreNamed() {
    var options = MusicOptions()
    (options.unroll, options.evaluationUnroll, options.lengthPool) = (-1, -1, 0)
    #expect(
      options.validate().map(\.option) == ["unroll", "evaluation_unroll", "length_pool"])
  }
}
