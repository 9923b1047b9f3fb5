import Foundation
import MemoryNets
import Testing

/// Tasks whose answers are tokens or vectors that were shown.
@Suite struct RecallTaskTests {
  private func training(
    _ generator: some SequenceGenerator, rows: Int = 300, sizes: GeneratedSizes
  ) -> BatchContents {
    BatchReader(GeneratedTask(generator, sizes: sizes, key: PhiloxKey(11)), batchSize: rows)
      .training(0)
  }

  // MARK: - mqar

  private func recall(_ change: (inout MultiQueryRecallOptions) -> Void) -> MultiQueryRecallOptions
  {
    var options = MultiQueryRecallOptions()
    (options.vocabulary, options.length, options.pairs) = (30, 20, 4)
    options.data = .online
    change(&options)
    return options
  }

  @Test func eachKeyIsQueriedOnceForItsOwnValue() {
    for random in [false, true] {
      let options = recall { $0.randomFillers = random }
      let batch = training(MultiQueryRecall(options: options), sizes: options.sizes)
      for row in 0..<batch.rows {
        let tokens = batch.tokens(row: row)
        let classes = batch.classes(row: row)
        let queries = batch.weights(row: row).enumerated().filter { $0.element == 1 }.map(\.offset)
        let keys = (0..<4).map { tokens[2 * $0] }
        let values = (0..<4).map { tokens[2 * $0 + 1] }
        #expect(keys.allSatisfy { 1..<15 ~= $0 } && Set(keys).count == 4)
        #expect(values.allSatisfy { 15..<30 ~= $0 } && Set(values).count == 4)
        #expect(queries.allSatisfy { $0 >= 8 && $0 % 2 == 0 })
        #expect(Set(queries.map { tokens[$0] }) == Set(keys) && queries.count == 4)
        for query in queries {
          #expect(keys.firstIndex(of: tokens[query]).map { values[$0] } == classes[query])
        }
        if !random {
          #expect((8..<20).allSatisfy { queries.contains($0) || tokens[$0] == 0 })
        }
      }
    }
  }

  @Test func gapsAreDrawnByTheirPowerWithoutReplacement() {
    let options = recall { ($0.length, $0.pairs, $0.power, $0.randomFillers) = (10, 2, 0.5, false) }
    let batch = training(MultiQueryRecall(options: options), rows: 12_000, sizes: options.sizes)
    var counts: [[Int]: Int] = [:]
    for row in 0..<batch.rows {
      let tokens = batch.tokens(row: row)
      let gaps = [0, 2].map { key in ((4..<10).first { tokens[$0] == tokens[key] } ?? 0) / 2 - 2 }
      counts[gaps, default: 0] += 1
    }
    let weights = [1, 1 / 2.0.squareRoot(), 1 / 3.0.squareRoot()]
    let sum = weights.reduce(0, +)
    var statistic = 0.0
    for a in 0..<3 {
      for b in 0..<3 where b != a {
        let expected = 12_000 * weights[a] / sum * weights[b] / (sum - weights[a])
        let difference = Double(counts[[a, b]] ?? 0) - expected
        statistic += difference * difference / expected
      }
    }
    // Quantile 0.999 of chi-square with 5 degrees of freedom.
    #expect(statistic < 20.52)
  }

  @Test func randomFillersAreOfTheWholeVocabulary() {
    let options = recall { _ in }
    let batch = training(MultiQueryRecall(options: options), rows: 500, sizes: options.sizes)
    var seen: Set<Int> = []
    for row in 0..<batch.rows {
      let weights = batch.weights(row: row)
      for (step, token) in batch.tokens(row: row).enumerated() where step >= 8 && weights[step] == 0
      {
        seen.insert(token)
      }
    }
    #expect(seen == Set(0..<30))
  }

  @Test func eachPartOfAMixtureHasItsLengthAndPairs() throws {
    let options = recall {
      ($0.trainLengths, $0.trainPairs, $0.trainSizes) = ([8, 20, 20], [2, 3, 5], [100, 40, 60])
      ($0.testLengths, $0.testPairs, $0.validationSize) = ([20, 28], [5, 7], 30)
      ($0.vocabulary, $0.data) = (40, .fixed)
    }
    #expect(options.validate().isEmpty)
    let task = options.task(PhiloxKey(1))
    #expect(task.shape.maximumSteps == 28 && task.shape.maximumTrainingSteps == 20)
    let reader = BatchReader(task, batchSize: 20)
    func pairs(_ batch: BatchContents) -> Int {
      let counts = Set((0..<batch.rows).map { batch.weights(row: $0).count { $0 == 1 } })
      return counts.count == 1 ? counts.first ?? 0 : 0
    }
    var seen: [[Int]: Int] = [:]
    for update in 0..<10 {
      let batch = reader.training(update)
      seen[[batch.steps, pairs(batch)], default: 0] += batch.rows
    }
    #expect(seen == [[8, 2]: 100, [20, 3]: 40, [20, 5]: 60])
    #expect(task.parts(of: .validation) == ["20_5", "28_7"] && task.parts(of: .train).isEmpty)
    for (index, batch) in reader.evaluation(.validation).enumerated() {
      let part = index < 2 ? 0 : 1
      #expect(task.part(of: .validation, index: index, batchSize: 20) == part)
      #expect(batch.steps == (part == 0 ? 20 : 28) && pairs(batch) == (part == 0 ? 5 : 7))
      #expect(batch.rows == (index % 2 == 0 ? 20 : 10))
    }
    let accuracy = task.baselines.filter { $0.metric.hasSuffix("accuracy") }
    #expect(accuracy.first { $0.metric == "test.28_7.accuracy" }?.value == 1 / 7.0)
    #expect(accuracy.first { $0.metric == "test.accuracy" }?.value == 2 / 12.0)
  }

  @Test func freshSequencesOfAMixtureDiffer() {
    let options = recall {
      ($0.trainLengths, $0.trainPairs, $0.trainSizes) = ([8, 20], [2, 3], [20, 20])
    }
    let reader = BatchReader(options.task(PhiloxKey(1)), batchSize: 20)
    let sequences = (0..<8).flatMap { update -> [[Float]] in
      let batch = reader.training(update)
      return (0..<20).map { Array(batch.records(row: $0).joined()) }
    }
    #expect(Set(sequences).count == 160)
    #expect(sequences.count { $0.count == 24 } == 80)
  }

  @Test func listsThatDoNotFitAreRefused() {
    func problems(_ change: (inout MultiQueryRecallOptions) -> Void) -> [String] {
      recall(change).validate().map { "\($0.option) \($0.problem)" }
    }
    #expect(
      problems { ($0.trainLengths, $0.trainPairs) = ([8, 20], [2]) } == [
        "train_lengths has 2 numbers, train_pairs 1 and train_sizes 0; as many are needed"
      ])
    #expect(
      problems { ($0.testLengths, $0.testPairs) = ([8, 20], [2, 6]) } == [
        "test_lengths has 20; an even number of at least 4 x pairs steps is needed"
      ])
    #expect(
      problems { ($0.testLengths, $0.testPairs) = ([8, 8], [2, 2]) } == [
        "test_lengths and its pairs have the same twice"
      ])
    #expect(
      problems { ($0.trainLengths, $0.trainPairs, $0.trainSizes) = ([8], [2], [0]) } == [
        "train_sizes has 0; 1 or more are possible"
      ])
  }

  @Test func aSequenceWithoutRoomIsRefused() {
    #expect(recall { $0.length = 14 }.validate().map(\.option) == ["length"])
    #expect(recall { $0.length = 17 }.validate().map(\.option) == ["length"])
    #expect(recall { $0.vocabulary = 20 }.validate().map(\.option) == ["vocabulary"])
  }

  // MARK: - key_value_capacity

  @Test(arguments: KeyValueSetting.allCases)
  func theLastValueOfTheQueriedKeyIsWanted(setting: KeyValueSetting) {
    let size = 7
    let batch = training(
      KeyValueCapacity(size: size, setting: setting), rows: 700,
      sizes: KeyValueCapacityOptions().sizes)
    var queries = [Int](repeating: 0, count: size)
    var places = [Int](repeating: 0, count: size)
    for row in 0..<batch.rows {
      let records = batch.records(row: row)
      var last: [Int: Int] = [:]
      for record in records.dropLast() {
        #expect(record.count == 2 * size + 1 && record[2 * size] == 0)
        #expect(record.reduce(0, +) == 2)
        guard let key = record[..<size].firstIndex(of: 1),
          let value = record[size..<2 * size].firstIndex(of: 1)
        else {
          Issue.record("no pair")
          continue
        }
        last[key] = value - size
      }
      #expect(records.count == (setting == .unique ? size : 2 * size) + 1)
      if setting == .unique { #expect(last.count == size && Set(last.values).count == size) }
      let query = records[records.count - 1]
      let key = query[..<size].firstIndex(of: 1) ?? 0
      queries[key] += 1
      if setting == .unique {
        places[records.firstIndex { $0[key] == 1 } ?? 0] += 1
      }
      #expect(query[size..<2 * size].allSatisfy { $0 == 0 } && query[2 * size] == 1)
      #expect((0..<size).allSatisfy { query[2 * size + 1 + $0] == (last[key] == $0 ? 1 : 0) })
    }
    // Quantile 0.999 of chi-square with 6 degrees of freedom.
    for counts in setting == .unique ? [queries, places] : [queries] {
      #expect(counts.reduce(0.0) { $0 + (Double($1) - 100) * (Double($1) - 100) / 100 } < 22.46)
    }
  }

  @Test func gaussianKeysAreTheSameVectorsWhereverTheyStand() {
    let size = 50
    let oneHot = training(
      KeyValueCapacity(size: size, setting: .replaced), rows: 3,
      sizes: KeyValueCapacityOptions().sizes)
    let gaussian = training(
      KeyValueCapacity(size: size, setting: .replaced, keyVectors: .gaussian), rows: 3,
      sizes: KeyValueCapacityOptions().sizes)
    var vectors: [Int: [Float]] = [:]
    for row in 0..<3 {
      for (hot, normal) in zip(oneHot.records(row: row), gaussian.records(row: row)) {
        let key = hot[..<size].firstIndex(of: 1) ?? 0
        #expect(Array(normal[110...]) == Array(hot[size...]))
        #expect(vectors[key, default: Array(normal[..<110])] == Array(normal[..<110]))
        vectors[key] = Array(normal[..<110])
      }
    }
    // 4 standard errors of the mean and of the variance of so many standard normal numbers.
    let numbers = vectors.values.joined().map(Double.init), count = Double(numbers.count)
    #expect(Set(vectors.values).count == vectors.count && vectors.count > 40)
    #expect(abs(numbers.reduce(0, +)) < 4 * count.squareRoot())
    #expect(abs(numbers.reduce(0) { $0 + $1 * $1 } - count) < 4 * (2 * count).squareRoot())
  }

  // MARK: - memory_verification

  @Test func studiedQueriesComeFromTheListAndTheOthersDoNot() {
    let (vocabulary, length) = (12, 5)
    let batch = training(
      MemoryVerification(vocabulary: vocabulary, length: length), rows: 2000,
      sizes: MemoryVerificationOptions().sizes)
    var studiedQueries = 0
    var places = [Int](repeating: 0, count: length)
    var inOrder = 0
    for row in 0..<batch.rows {
      let tokens = batch.tokens(row: row)
      let classes = batch.classes(row: row)
      let list = tokens[..<length]
      #expect(Set(list).count == length && Set(tokens[length...]).count == length)
      #expect(batch.weights(row: row) == [Float](repeating: 0, count: 5) + [1, 1, 1, 1, 1])
      for query in length..<2 * length {
        let place = list.firstIndex(of: tokens[query])
        #expect((place != nil) == (classes[query] == 1))
        guard let place else { continue }
        places[place] += 1
        inOrder += place == query - length ? 1 : 0
      }
      studiedQueries += classes.reduce(0, +)
    }
    // Binomial: 10000 coins, standard deviation 50; each place a fifth of them.
    #expect(abs(studiedQueries - 5000) < 200)
    #expect(places.allSatisfy { abs($0 - studiedQueries / 5) < 150 })
    #expect(abs(inOrder - studiedQueries / 5) < 150)
  }

  // MARK: - repeat

  private func strings(
    _ split: DataSplit, _ options: RepeatOptions, rows: Int = 400
  ) -> (strings: [[Int]], batch: BatchContents) {
    let task = GeneratedTask(
      Repeat(options: options), sizes: options.sizes, key: PhiloxKey(11))
    let reader = BatchReader(task, batchSize: rows)
    let batch = split == .train ? reader.training(0) : reader.evaluation(split)[0]
    return (
      (0..<batch.rows).map { row in
        Array(batch.tokens(row: row).prefix { $0 < options.symbols })
      }, batch
    )
  }

  @Test func theStringIsTheAnswerAndTheFeedback() {
    for feedback in [RepeatFeedback.teacher, .none] {
      var options = RepeatOptions()
      (options.symbols, options.feedback) = (5, feedback)
      let (strings, batch) = strings(.train, options)
      #expect(Set(strings.map(\.count)) == Set(2...9))
      for (row, string) in strings.enumerated() {
        let n = string.count
        let tokens = batch.tokens(row: row)
        #expect(tokens[n] == 5)
        #expect(
          Array(tokens[(n + 1)..<(2 * n)])
            == (feedback == .teacher
              ? Array(string.dropLast()) : [Int](repeating: 6, count: n - 1)))
        #expect(tokens[(2 * n)...].allSatisfy { $0 == 6 })
        #expect(Array(batch.classes(row: row)[n..<2 * n]) == string)
        let weights = batch.weights(row: row)
        #expect(weights.indices.allSatisfy { weights[$0] == (n..<2 * n ~= $0 ? 1 : 0) })
      }
    }
  }

  @Test func evaluationStringsAreNeverTrainedOn() {
    var options = RepeatOptions()
    (options.symbols, options.minimumLength, options.maximumLength) = (6, 2, 2)
    options.validationSize = 400
    let trained = Set(strings(.train, options, rows: 2000).strings)
    let held = Set(strings(.validation, options).strings)
    #expect(trained.isDisjoint(with: held))
    // Of 36 strings a fifth.
    #expect(trained.count + held.count == 36 && 2...14 ~= held.count)
  }

  @Test func testStringsCanBeLonger() {
    var options = RepeatOptions()
    (options.testLength, options.testSize) = (11, 50)
    #expect(strings(.test, options).strings.allSatisfy { $0.count == 11 })
    #expect(strings(.train, options).strings.allSatisfy { 2...9 ~= $0.count })
  }

  // MARK: - variable_binding

  @Test(arguments: BindingRule.allCases)
  func everyWantedVectorFollowsFromThoseBefore(rule: BindingRule) {
    var options = VariableBindingOptions()
    (options.dimension, options.variables, options.horizon, options.rule) = (3, 4, 10, rule)
    let binding = VariableBinding(options: options)
    #expect(Set(binding.sources).count == 3 && binding.sources.allSatisfy { 0..<12 ~= $0 })
    if rule == .copy { #expect(binding.sources == [0, 1, 2] && binding.signs == [1, 1, 1]) }
    let batch = training(binding, rows: 60, sizes: options.sizes)
    for row in 0..<batch.rows {
      let records = batch.records(row: row)
      var vectors: [[Float]] = []
      for (step, record) in records.enumerated() {
        #expect(record[6] == (step < 4 ? 0 : 1))
        if step < 4 {
          vectors.append(Array(record[0..<3]))
          #expect(vectors[step].allSatisfy { abs($0) == 1 })
          continue
        }
        let past = vectors[(step - 4)..<step].joined()
        let wanted = (0..<3).map { i in
          binding.signs[i] * past[past.index(past.startIndex, offsetBy: binding.sources[i])]
        }
        #expect(record[0..<3].allSatisfy { $0 == 0 } && Array(record[3..<6]) == wanted)
        vectors.append(wanted)
      }
    }
  }

  @Test func ruleNumbersAreDifferentRulesAndSeedsAreNot() {
    func rule(_ number: Int) -> [Int] {
      var options = VariableBindingOptions()
      options.ruleNumber = number
      return VariableBinding(options: options).sources
    }
    #expect(rule(0) != rule(1))
    #expect(rule(3) == rule(3))
  }
}
