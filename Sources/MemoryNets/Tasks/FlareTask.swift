/// The options of `flare`.
package struct FlareOptions: Options {
  package var language = FlareLanguage.dyck23
  /// Which published validation set: strings as long as those of training, or up to twice that.
  package var validation = Validation.short

  package enum Validation: String, Codable, CaseIterable, Sendable {
    case short, long
  }

  package init() {}

  package func validate() -> [OptionProblem] { [] }
}

/// Recognition of a formal language: whether a string belongs to it, answered after an end symbol.
///
/// The published strings of FLaRe, all of a batch of one length. The test split has the parts
/// `short`, strings of the training lengths that training lacks, and `long`, up to 500 symbols;
/// `stack_manipulation` was published without the latter, `repeat_01` without the former.
package final class FlareTask: LengthBatchedTask {
  package let shape: TaskShape
  package let baselines: [TrivialBaseline]
  package let dataDigest: String
  private let data: FlareData
  private let sets: [DataSplit: [FlareData.SetName]]
  let batches: LengthBatches

  package init(options: FlareOptions, data: FlareData, digest: String, key: PhiloxKey) {
    self.data = data
    dataDigest = digest
    let validation: FlareData.SetName =
      options.validation == .short ? .validationShort : .validationLong
    let sets: [DataSplit: [FlareData.SetName]] = [
      .train: [.train], .validation: [validation],
      .test: [.testShort, .testLong].filter { data[$0].count > 0 },
    ]
    self.sets = sets
    var lengths: [DataSplit: [Int32]] = [:]
    for (split, names) in sets { lengths[split] = names.flatMap { data[$0].lengths } }
    let parts = (sets[.test] ?? []).enumerated().flatMap { part, name in
      [Int32](repeating: Int32(part), count: data[name].count)
    }
    batches = LengthBatches(
      lengths: lengths, parts: [.test: parts], key: key.derived("order"))
    func longest(_ lengths: [Int32]) -> Int { Int(lengths.max() ?? 0) + 1 }
    shape = TaskShape(
      input: .tokens(vocabulary: data.vocabulary.count + 1), outputSize: 2,
      loss: .softmaxCrossEntropy, outputSteps: .last,
      maximumSteps: longest(lengths.values.flatMap { $0 }),
      maximumTrainingSteps: longest(lengths[.train] ?? []))
    let measured = [("validation", validation)] + Self.testParts(sets).map { ("test.\($1)", $0) }
    baselines = measured.map { name, set in
      let members = data[set].labels.count { $0 == 1 }
      let most = max(members, data[set].count - members)
      return TrivialBaseline(
        name: "more frequent label", metric: "\(name).accuracy",
        value: Double(most) / Double(data[set].count))
    }
  }

  private static func testParts(
    _ sets: [DataSplit: [FlareData.SetName]]
  ) -> [(FlareData.SetName, String)] {
    (sets[.test] ?? []).map { ($0, $0 == .testShort ? "short" : "long") }
  }

  package var byteCount: Int {
    let tokens = FlareData.SetName.allCases.reduce(0) { $0 + data[$1].tokens.count }
    return tokens * MemoryLayout<Int32>.stride + 3 * batches.byteCount
  }

  package func parts(of split: DataSplit) -> [String] {
    split == .test ? Self.testParts(sets).map(\.1) : []
  }

  func fill(_ batch: Batch, _ split: DataSplit, _ sequences: ArraySlice<Int32>) {
    let rows = sequences.count
    for (row, sequence) in sequences.enumerated() {
      var string = Int(sequence)
      for set in sets[split] ?? [] {
        let strings = data[set]
        guard string < strings.count else {
          string -= strings.count
          continue
        }
        let start = Int(strings.starts[string])
        let length = strings.length(of: string)
        if row == 0 { batch.resize(rows: rows, steps: length + 1) }
        for step in 0..<length {
          batch.tokens[step &* rows &+ row] = strings.tokens[start + step]
        }
        batch.tokens[length &* rows &+ row] = Int32(data.vocabulary.count)
        batch.classes[row] = strings.labels[string]
        batch.weights[row] = 1
        break
      }
    }
  }
}
