import MemoryNets

/// A small task of a registered kind for the conformance suite.
struct TaskSample: CustomStringConvertible, Sendable {
  let kind: String
  let variant: String
  /// Sequences of train, validation and test.
  var sizes: [Int]
  /// Whether the training sequences are one set, put into another order in each epoch.
  let isFixed: Bool
  let make: @Sendable (PhiloxKey) throws -> any SequenceTask

  var description: String { "\(kind) \(variant)" }

  /// Whether each batch holds sequences of one length, and is short where there are no more.
  var isOneLength: Bool {
    kind == "formal_language" || kind == "flare" || variant.hasPrefix("mixed")
  }

  /// Whether a split is one text, cut into rows, instead of a set of sequences.
  var isText: Bool { kind == "language_model" }

  static let all: [TaskSample] =
    retrieval + copy + adding + music + memory + mixed + stored + languages + [flare] + texts

  static func generated<O: Options>(
    _ kind: String, _ variant: String, _ options: O
  ) -> TaskSample {
    TaskSample(
      kind: kind, variant: variant, sizes: [40, 25, 17], isFixed: variant.contains("fixed")
    ) { key in
      guard let kind = TaskRegistry.kind(named: kind) else {
        throw OptionProblem("kind", "\(kind) is not registered")
      }
      return try kind.make(options, key, DataFolder(path: nil))
    }
  }

  private static let retrieval = RetrievalLayout.allCases.flatMap { layout in
    TrainingData.allCases.map { data in
      var options = AssociativeRetrievalOptions()
      (options.layout, options.data, options.pairs) = (layout, data, 5)
      (options.trainSize, options.validationSize, options.testSize) = (40, 25, 17)
      return generated("associative_retrieval", "\(layout) \(data)", options)
    }
  }

  private static let copy = CopyVariant.allCases.flatMap { variant in
    CopyLoss.allCases.map { loss in
      var options = CopyOptions()
      (options.variant, options.loss) = (variant, loss)
      (options.symbols, options.length, options.delay) = (4, 3, 6)
      (options.trainSize, options.validationSize, options.testSize) = (40, 25, 17)
      return generated("copy", "\(variant) \(loss)", options)
    }
  }

  private static let adding = TrainingData.allCases.map { data in
    var options = AddingOptions()
    (options.length, options.data) = (6, data)
    (options.trainSize, options.validationSize, options.testSize) = (40, 25, 17)
    return generated("adding", "\(data)", options)
  }

  private static let languages = FormalLanguageName.allCases.map { language in
    var options = FormalLanguageOptions()
    (options.language, options.symbols) = (language, 3)
    (options.minimumLength, options.maximumLength) = (8, 16)
    (options.trainSize, options.validationSize, options.testPerLength) = (40, 25, 3)
    options.testLengths = [8, 12, 20]
    let lengths = options.lengths(8...12).count + options.lengths(12...20).count
    let settings = options
    return TaskSample(
      kind: "formal_language", variant: language.rawValue, sizes: [40, 25, 3 * lengths],
      isFixed: true
    ) { FormalLanguageTask(options: settings, key: $0) }
  }

  /// Strings made from random numbers: the published ones may be absent.
  private static let flare = TaskSample(
    kind: "flare", variant: "made up", sizes: [40, 25, 17], isFixed: true
  ) {
    key in
    var draws = PhiloxStream(key: PhiloxKey(18), stream: 0)
    var data = FlareData()
    for (set, count) in [
      (FlareData.SetName.train, 40), (.validationShort, 25), (.testShort, 7), (.testLong, 10),
    ] {
      var (tokens, labels) = ("", "")
      for _ in 0..<count {
        let words = (0..<draws.integer(below: 6)).map { _ in "t\(draws.integer(below: 3))" }
        tokens += words.joined(separator: " ") + "\n"
        labels += "\(draws.integer(below: 2))\n"
      }
      _ = data.append(Array(tokens.utf8)[...], Array(labels.utf8)[...], to: set)
    }
    data.nameTokens()
    return FlareTask(options: FlareOptions(), data: data, digest: "made up", key: key)
  }

  /// A text of numbers that say where they stand, 40, 25 and 17 tokens, the ends of lines among them.
  private static let texts = [1, 3, 60].map { unroll in
    TaskSample(
      kind: "language_model", variant: "unroll \(unroll)", sizes: [1, 1, 1], isFixed: true
    ) { key in
      var options = LanguageModelOptions()
      (options.unroll, options.validationStreams) = (unroll, 1)
      let corpus = try numberedCorpus([40, 25, 17])
      return try LanguageModelTask(options: options, corpus: corpus, key: key)
    }
  }

  /// Texts of `sizes` tokens in lines of ten: `w0 w1 ... w8`, `w9 ...`.
  static func numberedCorpus(_ sizes: [Int]) throws -> Corpus {
    var options = CorpusOptions()
    options.split = .names
    let texts = zip(["train", "valid", "test"], sizes).map { name, size in
      let words = (0..<size - 1).map { $0 % 10 == 9 ? "\n" : "w\($0) " }
      return (name: name, bytes: Array((words.joined() + "\n").utf8))
    }
    return try CorpusBuilder(options).corpus(of: TextsInMemory(texts), path: "numbered")
  }

  /// Piano-rolls made from random numbers: the published sets may be absent.
  private static let music = [(0, 0, 1), (0, 5, 3), (4, 6, 1), (7, 0, 2)].map { settings in
    let (unroll, evaluationUnroll, pool) = settings
    return TaskSample(
      kind: "music", variant: "unroll \(unroll), \(evaluationUnroll), pool \(pool)",
      sizes: [40, 25, 17], isFixed: true
    ) { key in
      var options = MusicOptions()
      options.unroll = unroll
      options.evaluationUnroll = evaluationUnroll
      options.lengthPool = pool
      return MusicTask(options: options, rolls: randomRolls(sizes: [40, 25, 17]), key: key)
    }
  }

  /// Sequences of 2 to 21 frames with up to four notes each.
  static func randomRolls(sizes: [Int]) -> PianoRollData {
    var data = PianoRollData()
    for (split, size) in sizes.enumerated() {
      var draws = PhiloxStream(key: PhiloxKey(88), stream: UInt64(split))
      var rolls = PianoRolls()
      for _ in 0..<size {
        for _ in 0..<2 + draws.integer(below: 20) {
          var notes: Set<Int> = []
          for _ in 0..<draws.integer(below: 5) { notes.insert(draws.integer(below: 88)) }
          for note in notes.sorted() { rolls.append(note: UInt8(note)) }
          _ = rolls.endFrame()
        }
        _ = rolls.endSequence()
      }
      switch split {
      case 0: data.train = rolls
      case 1: data.validation = rolls
      default: data.test = rolls
      }
    }
    return data
  }
}
