import MemoryNets
import Testing

@Suite struct AssociativeRetrievalTests {
  private let key = PhiloxKey(37)

  private func contents(
    _ layout: RetrievalLayout, pairs: Int, rows: Int, data: TrainingData = .online
  ) -> BatchContents {
    let generator = AssociativeRetrieval(layout: layout, pairs: pairs)
    let sizes = GeneratedSizes(data: data, train: rows, validation: 1, test: 1)
    return BatchReader(GeneratedTask(generator, sizes: sizes, key: key), batchSize: rows)
      .training(0)
  }

  private func text(_ tokens: [Int]) -> String {
    let characters = Array("abcdefghijklmnopqrstuvwxyz0123456789?")
    return String(tokens.map { characters[$0] })
  }

  /// Solves a sequence from its text; nil when it is not of the layout.
  private func answer(_ text: String, _ layout: RetrievalLayout, _ pairs: Int) -> Character? {
    let shown = Array(text)
    guard shown.count == 2 * pairs + 3, text.dropLast().hasSuffix("??") else { return nil }
    let keys: [Character]
    var values: [Character]
    switch layout {
    case .art:
      keys = stride(from: 0, to: 2 * pairs, by: 2).map { shown[$0] }
      values = stride(from: 1, to: 2 * pairs, by: 2).map { shown[$0] }
    case .modified, .permuted:
      keys = Array(shown[..<pairs])
      values = Array(shown[pairs..<2 * pairs])
    }
    if layout == .permuted {
      let places = values
      for (p, i) in AssociativeRetrieval.permutation(pairs).enumerated() { values[i] = places[p] }
    }
    guard keys.allSatisfy(\.isLowercase), values.allSatisfy(\.isNumber), Set(keys).count == pairs
    else { return nil }
    return keys.firstIndex(of: shown[2 * pairs + 2]).map { values[$0] }
  }

  @Test(arguments: RetrievalLayout.allCases, [1, 2, 4, 8, 26])
  func theTargetIsThePartnerOfTheQuery(layout: RetrievalLayout, pairs: Int) {
    let batch = contents(layout, pairs: pairs, rows: 500)
    for row in 0..<batch.rows {
      let sequence = text(batch.tokens(row: row))
      let target = text(batch.classes(row: row))
      #expect(answer(sequence, layout, pairs) == target.first, "\(sequence) -> \(target)")
    }
  }

  /// The examples of the layouts, to hold the solver above to.
  @Test func theSolverReadsTheExamples() {
    #expect(answer("a9c5g1t3??c", .art, 4) == "5")
    #expect(answer("acgt9513??c", .modified, 4) == "5")
    // Values 9 5 1 3 shown in the order 0, 3, 1, 2.
    #expect(answer("acgt9351??c", .permuted, 4) == "5")
    #expect(answer("acgt9351??t", .permuted, 4) == "3")
    #expect(answer("a9a5g1t3??c", .art, 4) == nil)
  }

  @Test func thePermutationIsThatOfTheConstantDraw() {
    #expect(AssociativeRetrieval.permutation(4) == [0, 3, 1, 2])
    #expect(AssociativeRetrieval.permutation(8) == [0, 6, 1, 2, 7, 3, 4, 5])
    #expect(
      AssociativeRetrieval.permutation(16) == [
        0, 13, 1, 2, 15, 3, 4, 12, 5, 6, 11, 7, 8, 14, 9, 10,
      ])
  }

  @Test func lettersDigitsAndQueriesAreUniform() {
    let pairs = 4
    let batch = contents(.art, pairs: pairs, rows: 20_000)
    var letters = [Int](repeating: 0, count: 26)
    var digits = [Int](repeating: 0, count: 10)
    var queries = [Int](repeating: 0, count: pairs)
    for row in 0..<batch.rows {
      let tokens = batch.tokens(row: row)
      for i in 0..<pairs {
        letters[tokens[2 * i]] += 1
        digits[tokens[2 * i + 1] - 26] += 1
        if tokens[2 * i] == tokens[2 * pairs + 2] { queries[i] += 1 }
      }
    }
    // Quantiles 0.999 of chi-square with 25, 9 and 3 degrees of freedom; 'z' is the last letter.
    #expect(chiSquare(letters) < 52.62)
    #expect(chiSquare(digits) < 27.88)
    #expect(chiSquare(queries) < 16.27)
    #expect(letters[25] > 0)
  }

  private func chiSquare(_ counts: [Int]) -> Double {
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  }

  @Test func digitsAreDrawnWithReplacement() {
    let batch = contents(.modified, pairs: 4, rows: 4000)
    let repeated = (0..<batch.rows).count { Set(batch.tokens(row: $0)[4..<8]).count < 4 }
    // 1 - 10 * 9 * 8 * 7 / 10^4 = 0.496, standard deviation 0.0079.
    #expect(abs(Double(repeated) / 4000 - 0.496) < 0.03)
  }

  @Test(arguments: [
    (2, 0.55), (3, 0.43), (4, 0.3835), (6, 0.3366), (8, 0.2999), (10, 0.2749), (13, 0.2526),
    (16, 0.2360), (20, 0.2205), (24, 0.2092), (26, 0.2046),
  ])
  func theModeGuesserHasTheKnownAccuracy(pairs: Int, accuracy: Double) throws {
    let exact = modeGuesserAccuracy(pairs: pairs, digits: 10)
    #expect(abs(exact - accuracy) <= 0.500001e-4)
    let baseline = try #require(AssociativeRetrieval(layout: .art, pairs: pairs).baselines.first)
    #expect(baseline.value == exact)
    #expect(baseline.metric == "accuracy")
  }

  /// Small cases by hand: two draws of two values agree with probability 1/2.
  @Test func theModeGuesserIsRightOnSmallCases() {
    #expect(modeGuesserAccuracy(pairs: 1, digits: 10) == 1)
    #expect(abs(modeGuesserAccuracy(pairs: 2, digits: 2) - 0.75) < 1e-12)
    #expect(abs(modeGuesserAccuracy(pairs: 3, digits: 2) - 0.75) < 1e-12)
    #expect(modeGuesserAccuracy(pairs: 5, digits: 1) == 1)
  }

  @Test(arguments: RetrievalLayout.allCases, [3, 4, 8, 16])
  func aSimulatedModeGuesserReachesTheBaseline(layout: RetrievalLayout, pairs: Int) {
    let rows = 20_000
    let batch = contents(layout, pairs: pairs, rows: rows)
    var right = 0
    for row in 0..<rows {
      var counts = [Int](repeating: 0, count: 37)
      for token in batch.tokens(row: row).prefix(2 * pairs) where token >= 26 { counts[token] += 1 }
      let guess = counts.indices.reduce(26) { counts[$1] > counts[$0] ? $1 : $0 }
      if guess == batch.classes(row: row)[0] { right += 1 }
    }
    let expected = modeGuesserAccuracy(pairs: pairs, digits: 10)
    let deviation = (expected * (1 - expected) / Double(rows)).squareRoot()
    #expect(abs(Double(right) / Double(rows) - expected) < 4 * deviation)
  }

  @Test func theShapeIsOneOf37AtTheLastStep() {
    let shape = AssociativeRetrieval(layout: .permuted, pairs: 8).shape
    #expect(
      shape
        == TaskShape(
          input: .tokens(vocabulary: 37), outputSize: 37, loss: .softmaxCrossEntropy,
          outputSteps: .last, maximumSteps: 19))
  }

  @Test func onlineSequencesAreFreshAndFixedOnesReturn() {
    let generator = AssociativeRetrieval(layout: .art, pairs: 8)
    func epochs(_ data: TrainingData) -> [Set<[Int]>] {
      let sizes = GeneratedSizes(data: data, train: 64, validation: 1, test: 1)
      let reader = BatchReader(GeneratedTask(generator, sizes: sizes, key: key), batchSize: 16)
      return [0, 4].map { first in
        Set(
          (first..<first + 4).flatMap { update in
            let batch = reader.training(update)
            return (0..<16).map { batch.tokens(row: $0) }
          })
      }
    }
    let fixed = epochs(.fixed)
    #expect(fixed[0] == fixed[1])
    #expect(fixed[0].count == 64)
    let online = epochs(.online)
    #expect(online[0].isDisjoint(with: online[1]))
  }

  @Test func splitsDoNotShareSequences() {
    let generator = AssociativeRetrieval(layout: .art, pairs: 8)
    let sizes = GeneratedSizes(data: .fixed, train: 300, validation: 300, test: 300)
    let reader = BatchReader(GeneratedTask(generator, sizes: sizes, key: key), batchSize: 300)
    let all = DataSplit.allCases.flatMap { split in
      reader.evaluation(split).flatMap { batch in (0..<300).map { batch.tokens(row: $0) } }
    }
    #expect(Set(all).count == 900)
  }

  @Test func optionsOutOfRangeAreNamed() throws {
    var options = AssociativeRetrievalOptions()
    options.pairs = 27
    options.testSize = 0
    #expect(options.validate().map(\.option) == ["test_size", "pairs"])
    let kind = try #require(TaskRegistry.kind(named: "associative_retrieval"))
    #expect {
      _ = try kind.make(options, key, DataFolder(path: nil))
    } throws: { error in
      "\(error)".contains("pairs is 27; the keys are 1 to 26 distinct letters")
    }
  }
}
