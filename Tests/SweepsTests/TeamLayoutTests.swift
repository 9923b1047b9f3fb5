import Sweeps
import Testing

@Suite struct TeamLayoutTests {
  @Test func ranksOfOneNodeAreOneBlock() {
    let layout = TeamLayout(nodes: [3, 3, 3, 3], position: 2)
    #expect(layout.blockSize == 4 && layout.block == 0..<4 && layout.across == [2])
  }

  @Test func blocksEndWhereNodesDo() {
    let layout = TeamLayout(nodes: [0, 0, 0, 0, 5, 5, 5, 5], position: 6)
    #expect(layout.blockSize == 4 && layout.block == 4..<8 && layout.across == [2, 6])
    let smaller = TeamLayout(nodes: [0, 0, 0, 0, 0, 0, 5, 5], position: 1)
    #expect(smaller.blockSize == 2 && smaller.block == 0..<2 && smaller.across == [1, 3, 5, 7])
  }

  @Test func nodesThatDoNotFitBlocksSendMessages() {
    let layout = TeamLayout(nodes: [0, 5, 5, 0], position: 1)
    #expect(layout.blockSize == 1 && layout.block == 1..<2 && layout.across == [0, 1, 2, 3])
  }

  @Test func blocksHaveALimit() {
    let layout = TeamLayout(nodes: [0, 0, 0, 0], position: 3, limit: 2)
    #expect(layout.blockSize == 2 && layout.block == 2..<4 && layout.across == [1, 3])
  }

  @Test(arguments: [1, 2, 4, 8]) func sharesCoverEveryElementOnce(parts: Int) {
    let ranges = [5..<6, 10..<10, 40..<177, 1000..<1033]
    let elements = ElementRanges(ranges)
    var seen: [Int] = []
    var places: [Int] = []
    for index in 0..<parts {
      let share = elements.share(index, of: parts)
      #expect(share.lowerBound % 16 == 0)
      elements.forEach(in: share) { range, place in
        seen += range
        places += place..<place + range.count
      }
    }
    #expect(seen == ranges.flatMap { Array($0) })
    #expect(places == Array(0..<elements.count))
  }

  @Test func halvesKeepWhatTheirBitsCanSay() {
    let numbers: [Float] = [
      0, 1, -1.5, 3.140625, 1e38, .infinity, -.infinity, .nan, 1.00390625, 1.01171875,
      Float(0).nextUp,
    ]
    var halves = [UInt16](repeating: 0, count: numbers.count)
    var back = [Float](repeating: 9, count: numbers.count)
    BrainFloat.encode(numbers, into: &halves, count: numbers.count)
    BrainFloat.decode(halves, into: &back, count: numbers.count)
    #expect(back[0...3] == numbers[0...3])
    #expect(abs(back[4] / 1e38 - 1) < 0.004)
    #expect(back[5] == .infinity && back[6] == -.infinity && back[7].isNaN)
    // Halfway between two: to the even one.
    #expect(back[8] == 1 && back[9] == 1.015625 && back[10] == 0)
  }
}
