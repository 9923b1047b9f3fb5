import Foundation
import MemoryNets
import TestSupport
import Testing

@Suite struct CatBabiTests {
  private let text = """
    1 Mary moved to the Bathroom.
    2 Where is Mary? \tbathroom\t1
    3 How do you go there?\tn,w\t1
    1 John went home.
    2 Where is John? \thome\t1

    """

  @Test func aStoryIsItsWordsWithPunctuationAndAnswers() {
    let stories = BabiStories.stories(Array(text.utf8)[...])
    #expect(
      stories == [
        "mary moved to the bathroom . where is mary ? bathroom how do you go there ? n,w"
          .split(separator: " ").map(String.init),
        "john went home . where is john ? home".split(separator: " ").map(String.init),
      ])
  }

  private func stories(_ count: Int) -> BabiStories {
    let one = (0..<count).map { "1 a\($0) is b\($0).\n2 what is a\($0)?\tb\($0)\t1\n" }.joined()
    return BabiStories(training: [(1, Array(one.utf8)[...])], testing: [], digest: "x")
  }

  @Test func theLastTenthOfATaskIsForValidation() {
    let set = stories(25)
    #expect((set.train.count, set.validation.count) == (23, 2))
    let words = set.validation.words.map { set.vocabulary[Int($0)] }
    #expect(words.first == "a23" && words.last == "b24")
  }

  @Test func answersAreWhatStandsAfterAQuestionMark() {
    var options = CatBabiOptions()
    (options.stories, options.unroll) = (3, 100)
    let set = stories(30)
    let batch = BatchReader(CatBabi(options: options, set: set, key: PhiloxKey(1)), batchSize: 4)
      .training(0)
    for row in 0..<batch.rows {
      let tokens = batch.tokens(row: row).map { set.vocabulary[$0] }
      let classes = batch.classes(row: row).map { set.vocabulary[$0] }
      #expect(Array(tokens.dropFirst()) == Array(classes.dropLast()))
      let scored = batch.weights(row: row).indices.filter { batch.weights(row: row)[$0] == 1 }
      #expect(scored.count == 3 && scored.allSatisfy { tokens[$0] == "?" })
      #expect(scored.allSatisfy { classes[$0].dropFirst() == tokens[$0 - 1].dropFirst() })
    }
  }

  @Test func everyEpochChainsTheStoriesAnew() {
    var options = CatBabiOptions()
    (options.stories, options.unroll) = (3, 100)
    let set = stories(30)
    let reader = BatchReader(
      CatBabi(options: options, set: set, key: PhiloxKey(1)), batchSize: 9)
    let epochs = (0..<2).map { epoch in
      BatchReader.sequences(in: [reader.training(epoch)])
    }
    #expect(epochs[0].count == 9)
    #expect(Set(epochs[0]).isDisjoint(with: Set(epochs[1])))
  }

  @Test func theGuesserOfTasksDoesBetterThanThatOfAll() {
    func file(_ task: Int, _ answers: [String]) -> BabiStories.File {
      (task, Array(answers.map { "1 what?\t\($0)\t\n" }.joined().utf8)[...])
    }
    let set = BabiStories(
      train: [file(1, ["a", "a", "b"]), file(2, ["c", "c"])], validation: [file(1, ["a"])],
      test: [file(1, ["a", "b"]), file(2, ["c", "c"])])
    let baselines = CatBabi(options: CatBabiOptions(), set: set, key: PhiloxKey(1)).baselines
    #expect(
      baselines.map(\.metric) == [
        "validation.accuracy", "validation.accuracy", "test.accuracy", "test.accuracy",
      ])
    #expect(baselines.map(\.value) == [1, 1, 0.25, 0.75])
  }

  @Test(.enabled(if: RealData.isExpected, "\(RealData.skipReason)"))
  func thePublishedTasksHaveTheirKnownCounts() throws {
    let set = try BabiSet.en.read(from: DataFolder(path: try RealData.folder()))
    let splits = DataSplit.allCases.map { set[$0] }
    #expect(set.vocabulary.count == 176)
    #expect(splits.map(\.count) == [5642, 625, 6267])
    #expect(splits.map(\.words.count) == [511_957, 55_920, 568_638])
    #expect(splits.map { $0.words.count { $0 == set.question } } == [18_022, 1978, 20_000])
  }

  @Test func whatIsNoArchiveIsDamaged() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent(
      "memsweep-babi-\(UUID().uuidString)")
    let file = root.appendingPathComponent("babi/babi-en-en10k.tar.zst")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    // A Zstandard frame of one raw block of two bytes.
    try Data([0x28, 0xb5, 0x2f, 0xfd, 0x20, 2, 17, 0, 0, 0, 0]).write(to: file)
    #expect {
      _ = try BabiSet.en.read(from: DataFolder(path: root.path))
    } throws: { error in
      "\(error)".hasPrefix("\(file.path): is damaged: it is no tar archive; replace it;")
    }
  }
}
