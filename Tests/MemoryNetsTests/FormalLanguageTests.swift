import Foundation
import MemoryNets
import Testing

@Suite struct FormalLanguageTests {
  private static func strings(
    _ name: FormalLanguageName, _ length: Int, count: Int, symbols: Int = 2
  ) -> [[Int32]] {
    let language = FormalLanguage(name, symbols: symbols, maximumLength: length)
    var string: [Int32] = []
    return (0..<count).map { number in
      var draws = PhiloxStream(key: PhiloxKey(24), stream: UInt64(number))
      _ = language.sample(length: length, &draws, into: &string)
      return string
    }
  }

  /// Whether a string over two letters, 2 the mark, is one of the language.
  private static func belongs(_ string: [Int32], to name: FormalLanguageName) -> Bool {
    func third(_ i: Int, _ part: [Int32]) -> [Int32] {
      Array(part[i * part.count / 3..<(i + 1) * part.count / 3])
    }
    let half = string.count / 2
    let (left, right) = (Array(string[..<half]), Array(string[half...]))
    switch name {
    case .count3: return [0, 1, 2].allSatisfy { i in third(i, string).allSatisfy { $0 == i } }
    case .markedReverseAndCopy:
      let parts = string.split(separator: 2, omittingEmptySubsequences: false).map(Array.init)
      return parts.count == 3 && parts[0] == parts[2] && parts[1] == parts[0].reversed()
    case .countAndCopy:
      return third(0, string) == third(2, string) && third(1, string).allSatisfy { $0 == 2 }
        && !third(0, string).contains(2)
    case .markedCopy:
      return right[0] == 2 && left == Array(right[1...])
    case .unmarkedCopyDifferentAlphabets: return left.map { $0 + 2 } == right
    case .unmarkedReverseAndCopy:
      return third(0, string) == third(2, string)
        && third(1, string) == third(0, string).reversed()
    case .unmarkedCopy: return left == right
    case .markedReversal: return right[0] == 2 && left == right[1...].reversed()
    case .unmarkedReversal: return left == right.reversed()
    case .paddedReversal: return string == string.reversed()
    case .hardestCFL: return HardestLanguage.logProbability(of: string).isFinite
    case .dyck:
      var open: [Int32] = []
      for symbol in string {
        if symbol < 2 {
          open.append(symbol)
        } else if open.popLast() != symbol - 2 {
          return false
        }
      }
      return open.isEmpty
    }
  }

  @Test(arguments: FormalLanguageName.allCases)
  func stringsBelongToTheirLanguage(name: FormalLanguageName) {
    let language = FormalLanguage(name, symbols: 2, maximumLength: 62)
    for length in (1...62).filter(language.has) {
      for string in Self.strings(name, length, count: 5) {
        #expect(string.count == length)
        #expect(Self.belongs(string, to: name), "\(string)")
        #expect(string.allSatisfy { 0..<language.vocabulary ~= Int($0) })
      }
    }
  }

  /// Every string of a short length is drawn as often as its -ln p says, and these sum to 1.
  @Test(arguments: FormalLanguageName.allCases)
  func probabilitiesAreThoseOfTheSampler(name: FormalLanguageName) {
    let language = FormalLanguage(name, symbols: 2, maximumLength: 8)
    let length = [8, 9, 6, 5].first(where: language.has) ?? 8
    let draws = 40_000
    var seen: [[Int32]: (count: Int, nats: Double)] = [:]
    var string: [Int32] = []
    for number in 0..<draws {
      var stream = PhiloxStream(key: PhiloxKey(7), stream: UInt64(number))
      let nats = language.sample(length: length, &stream, into: &string)
      #expect(seen[string].map { abs($0.nats - nats) < 1e-12 } ?? true)
      seen[string] = ((seen[string]?.count ?? 0) + 1, nats)
    }
    #expect(abs(seen.values.reduce(0) { $0 + exp(-$1.nats) } - 1) < 1e-3)
    for (string, drawn) in seen {
      let p = exp(-drawn.nats)
      let deviation = (p * (1 - p) / Double(draws)).squareRoot()
      #expect(
        abs(Double(drawn.count) / Double(draws) - p) <= 5 * deviation + 2 / Double(draws),
        "\(string)")
    }
  }

  @Test func lengthsAreUniformOverThoseThatExist() throws {
    var options = FormalLanguageOptions()
    options.language = .countAndCopy
    let reader = BatchReader(FormalLanguageTask(options: options, key: PhiloxKey(3)), batchSize: 50)
    var counts: [Int: Int] = [:]
    for batch in reader.evaluation(.train) { counts[batch.steps - 1, default: 0] += batch.rows }
    #expect(counts.keys.sorted() == Array(stride(from: 42, through: 78, by: 3)))
    for count in counts.values { #expect(abs(count - 10_000 / 13) < 150) }
  }

  @Test func aStringIsShownAfterAStartAndAskedForWithItsEnd() throws {
    var options = FormalLanguageOptions()
    (options.language, options.trainSize) = (.markedReversal, 40)
    let reader = BatchReader(FormalLanguageTask(options: options, key: PhiloxKey(4)), batchSize: 4)
    let batch = reader.training(0)
    for row in 0..<batch.rows {
      let (tokens, classes) = (batch.tokens(row: row), batch.classes(row: row))
      #expect(tokens[0] == 3 && classes.last == 3)
      #expect(Array(tokens[1...]) == Array(classes.dropLast()))
      #expect(batch.weights(row: row).allSatisfy { $0 == 1 })
    }
  }

  @Test func theBoundIsWhatTheSamplerLoses() throws {
    var options = FormalLanguageOptions()
    (options.language, options.testPerLength) = (.markedReverseAndCopy, 2)
    let task = FormalLanguageTask(options: options, key: PhiloxKey(4))
    let batch = Batch(shape: task.shape, maximumRows: 8)
    // 14 lengths of 40 to 80, w of a third of the letters.
    task.fillTraining(batch, update: 3, batchSize: 8)
    let each = log(14.0) + Double((batch.steps - 3) / 3) * log(2.0)
    #expect(abs(batch.bound - Double(batch.rows) * each) < 1e-9)
    // 20 lengths of 40 to 100, 33 of 100 to 200, 67 of 200 to 400.
    let last = task.evaluationBatchCount(.test, batchSize: 8) - 1
    for (index, lengths, part) in [(0, 20.0, 0), (last, 67.0, 2)] {
      task.fillEvaluation(batch, split: .test, index: index, batchSize: 8)
      let each = log(lengths) + Double((batch.steps - 3) / 3) * log(2.0)
      #expect(abs(batch.bound - 2 * each) < 1e-9)
      #expect(task.part(of: .test, index: index, batchSize: 8) == part)
    }
  }

  /// Trivial and ideal accuracies of the parts 40-100, 100-200 and 200-400.
  @Test(arguments: [
    (FormalLanguageName.count3, "repeat the last symbol", [0.958, 0.980, 0.990]),
    (.count3, "ideal", [0.986, 0.993, 0.997]),
    (.markedReverseAndCopy, "most frequent symbol", [0.479, 0.490, 0.495]),
    (.countAndCopy, "repeat the last symbol", [0.636, 0.652, 0.659]),
    (.markedCopy, "most frequent symbol", [0.486, 0.493, 0.497]),
    (.unmarkedCopy, "most frequent symbol", [0.493, 0.497, 0.498]),
  ])
  func knownAccuraciesAreFound(name: FormalLanguageName, predictor: String, expected: [Double]) {
    var options = FormalLanguageOptions()
    (options.language, options.trainSize) = (name, 10)
    let task = FormalLanguageTask(options: options, key: PhiloxKey(1))
    let found = task.baselines.filter { $0.name == predictor && $0.metric.hasSuffix("accuracy") }
      .filter { $0.metric.hasPrefix("test.") }.map(\.value)
    #expect(found.count == 3)
    // The most frequent symbol of a sample is a little more frequent than chance has it.
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 0.004, "\(found)") }
  }

  @Test func idealsOfMarkedLanguagesAreRight() {
    func ideal(_ name: FormalLanguageName) -> Double? {
      var options = FormalLanguageOptions()
      options.language = name
      return FormalLanguageTask(options: options, key: PhiloxKey(1)).baselines.first {
        $0.name == "ideal" && $0.metric == "test.40_100.accuracy"
      }?.value
    }
    #expect(abs((ideal(.markedReverseAndCopy) ?? 0) - 0.83) < 0.005)
    #expect(abs((ideal(.markedCopy) ?? 0) - 0.745) < 0.005)
    #expect(ideal(.unmarkedCopy) == nil)
  }

  @Test func impossibleOptionsAreRefused() {
    func problems(_ change: (inout FormalLanguageOptions) -> Void) -> [String] {
      var options = FormalLanguageOptions()
      change(&options)
      return options.validate().map { "\($0.option) \($0.problem)" }
    }
    #expect(problems { _ in }.isEmpty)
    #expect(
      problems { ($0.language, $0.minimumLength, $0.maximumLength) = (.count3, 40, 41) }
        == ["maximum_length is 41; no count_3 has 40 to that many symbols"])
    #expect(
      problems { ($0.language, $0.testLengths) = (.dyck, [40, 80, 90, 100]) }.isEmpty)
    #expect(
      problems { ($0.language, $0.testLengths) = (.count3, [40, 41, 90]) }
        == ["test_lengths is [40, 41, 90]; no count_3 has 40 to 41 symbols"])
    #expect(problems { $0.testLengths = [40] }.count == 1)
    #expect(problems { $0.symbols = 0 } == ["symbols is 0; 1 to 100000 are possible"])
  }
}
