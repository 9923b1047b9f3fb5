import Foundation
import MemoryNets
import Testing

@Suite struct CopyTests {
  private func contents(_ options: CopyOptions, rows: Int = 300) -> BatchContents {
    let task = GeneratedTask(Copy(options: options), sizes: options.sizes, key: PhiloxKey(11))
    return BatchReader(task, batchSize: rows).training(0)
  }

  private func options(
    _ variant: CopyVariant, symbols: Int = 5, length: Int = 4, delay: Int = 7,
    loss: CopyLoss = .all
  ) -> CopyOptions {
    var options = CopyOptions()
    (options.variant, options.symbols, options.length) = (variant, symbols, length)
    (options.delay, options.loss) = (delay, loss)
    return options
  }

  @Test func aPlainSequenceIsSymbolsBlanksDelimiterBlanks() {
    let batch = contents(options(.plain))
    #expect(batch.steps == 2 * 4 + 7)
    for row in 0..<batch.rows {
      let tokens = batch.tokens(row: row)
      let symbols = Array(tokens[..<4])
      #expect(symbols.allSatisfy { 0..<5 ~= $0 })
      #expect(tokens[4...] == [5, 5, 5, 5, 5, 5, 6, 5, 5, 5, 5])
      #expect(batch.classes(row: row) == [Int](repeating: 5, count: 11) + symbols)
    }
  }

  @Test func aDelayOfOneIsTheDelimiterAlone() {
    let batch = contents(options(.plain, length: 2, delay: 1), rows: 5)
    #expect(batch.tokens(row: 3)[2...] == [6, 5, 5])
  }

  @Test func aWarpedSequenceKeepsTheOrderOfItsSymbols() {
    let batch = contents(options(.warped))
    #expect(batch.steps == 7 + 1 + 4)
    for row in 0..<batch.rows {
      let tokens = batch.tokens(row: row)
      let symbols = tokens[..<7].filter { $0 != 5 }
      #expect(symbols.count == 4)
      #expect(tokens[7...] == [6, 5, 5, 5, 5])
      #expect(batch.classes(row: row) == [Int](repeating: 5, count: 8) + symbols)
    }
  }

  @Test func warpedPlacesAreUniform() {
    let batch = contents(options(.warped, length: 2, delay: 4), rows: 6000)
    var counts: [[Int]: Int] = [:]
    for row in 0..<batch.rows {
      let tokens = batch.tokens(row: row)
      counts[(0..<4).filter { tokens[$0] != 5 }, default: 0] += 1
    }
    #expect(counts.count == 6)
    // Quantile 0.999 of chi-square with 5 degrees of freedom.
    let statistic = counts.values.reduce(0.0) { $0 + pow(Double($1) - 1000, 2) / 1000 }
    #expect(statistic < 20.52)
  }

  @Test func symbolsAreUniform() {
    let batch = contents(options(.plain), rows: 5000)
    var counts = [Int](repeating: 0, count: 5)
    for row in 0..<batch.rows { for s in batch.tokens(row: row)[..<4] { counts[s] += 1 } }
    // Quantile 0.999 of chi-square with 4 degrees of freedom.
    #expect(counts.reduce(0.0) { $0 + pow(Double($1) - 4000, 2) / 4000 } < 18.47)
  }

  @Test(arguments: CopyVariant.allCases)
  func recallCountsTheLastAnswersOnly(variant: CopyVariant) {
    let batch = contents(options(variant, loss: .recall))
    let expected = [Float](repeating: 0, count: batch.steps - 4) + [1, 1, 1, 1]
    #expect((0..<batch.rows).allSatisfy { batch.weights(row: $0) == expected })
    let all = contents(options(variant))
    #expect(all.weights.allSatisfy { $0 == 1 })
  }

  @Test func theBaselinesAreThoseOfABlindAnswer() {
    // S ln K / (T + 2 S), and right on all but (1 - 1/K) of the S symbols.
    let plain = Copy(options: options(.plain)).baselines
    #expect(plain.map(\.metric) == ["loss", "accuracy"])
    #expect(abs(plain[0].value - 4 * log(5) / 15) < 1e-12)
    #expect(abs(plain[1].value - (11 + 4.0 / 5) / 15) < 1e-12)
    let warped = Copy(options: options(.warped)).baselines
    #expect(abs(warped[0].value - 4 * log(5) / 12) < 1e-12)
    #expect(abs(warped[1].value - (8 + 4.0 / 5) / 12) < 1e-12)
    let recall = Copy(options: options(.plain, loss: .recall)).baselines
    #expect(abs(recall[0].value - log(5)) < 1e-12)
    #expect(abs(recall[1].value - 0.2) < 1e-12)
  }

  @Test func optionsOutOfRangeAreNamed() {
    #expect(options(.plain, symbols: 1).validate().map(\.option) == ["symbols"])
    #expect(options(.plain, length: 0).validate().map(\.option) == ["length"])
    #expect(options(.plain, delay: 0).validate().map(\.option) == ["delay"])
    #expect(options(.plain, length: 8, delay: 7).validate().isEmpty)
    #expect(options(.warped, length: 8, delay: 7).validate().map(\.option) == ["delay"])
    #expect(options(.warped, length: 7, delay: 7).validate().isEmpty)
  }
}
