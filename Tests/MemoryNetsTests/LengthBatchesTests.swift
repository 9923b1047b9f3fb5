import MemoryNets
import Testing

@Suite struct LengthBatchesTests {
  /// Ten sequences each of lengths 3, 4 and 5, and two of length 9.
  private static let lengths: [Int32] = (0..<30).map { Int32(3 + $0 % 3) } + [9, 9]

  private static func batches(_ key: UInt64 = 1) -> LengthBatches {
    LengthBatches(
      lengths: [.train: lengths, .validation: lengths, .test: lengths],
      parts: [.test: (0..<32).map { $0 < 20 ? 0 : 1 }], key: PhiloxKey(key))
  }

  @Test func anEpochHasFullBatchesOfOneLengthAndSmallGroupsWhole() {
    let batches = Self.batches()
    for epoch in 0..<5 {
      // Two of four for each of the three lengths, one of both sequences of length 9.
      let shown = (0..<7).map { Array(batches.training(update: epoch * 7 + $0, batchSize: 4)) }
      #expect(Set(shown.joined()).count == 26)
      #expect(shown.map(\.count).sorted() == [2, 4, 4, 4, 4, 4, 4])
      for batch in shown { #expect(Set(batch.map { Self.lengths[Int($0)] }).count == 1) }
    }
  }

  @Test func epochsDifferAndAnyCanBeAskedForAtAnyTime() {
    let (inOrder, direct) = (Self.batches(), Self.batches())
    let shown = (0..<21).map { Array(inOrder.training(update: $0, batchSize: 4)) }
    for update in [20, 3, 8, 14, 0] {
      #expect(Array(direct.training(update: update, batchSize: 4)) == shown[update])
    }
    #expect(Array(shown[0..<7]) != Array(shown[7..<14]))
    let other = Self.batches(2)
    #expect((0..<7).map { Array(other.training(update: $0, batchSize: 4)) } != Array(shown[0..<7]))
  }

  @Test func anotherBatchSizeStartsAnotherPlan() {
    let batches = Self.batches()
    _ = batches.training(update: 9, batchSize: 4)
    // One batch of ten for each of the three lengths, one of two.
    let counts = (8..<12).map { batches.training(update: $0, batchSize: 10).count }
    #expect(counts.sorted() == [2, 10, 10, 10])
    #expect(batches.training(update: 9, batchSize: 4).count <= 4)
  }

  @Test func evaluationKeepsPartsApart() {
    let batches = Self.batches()
    let count = batches.evaluationBatchCount(.test, batchSize: 4)
    let shown = (0..<count).map { Array(batches.evaluation(.test, index: $0, batchSize: 4)) }
    let parts = (0..<count).compactMap { batches.part(of: .test, index: $0, batchSize: 4) }
    #expect(Array(shown.joined()).sorted() == Array(0..<32))
    #expect(parts == parts.sorted())
    for (batch, part) in zip(shown, parts) {
      #expect(batch.allSatisfy { ($0 < 20 ? 0 : 1) == part })
      #expect(Set(batch.map { Self.lengths[Int($0)] }).count == 1)
    }
    #expect(batches.part(of: .validation, index: 0, batchSize: 4) == nil)
  }
}
