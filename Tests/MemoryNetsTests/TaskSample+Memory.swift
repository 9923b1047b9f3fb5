import MemoryNets

/// Small tasks that ask for memory alone.
extension TaskSample {
  static let memory: [TaskSample] =
    TrainingData.allCases.flatMap { data in
      [
        sample("mqar", MultiQueryRecallOptions(), data) {
          ($0.vocabulary, $0.length, $0.pairs) = (20, 16, 3)
        },
        sample("repeat", RepeatOptions(), data) { ($0.symbols, $0.testLength) = (6, 11) },
        sample("random_memorization", RandomMemorizationOptions(), data) {
          ($0.distance, $0.minimumLength, $0.maximumLength) = (2, 3, 8)
        },
        sample("memory_verification", MemoryVerificationOptions(), data) {
          ($0.vocabulary, $0.length) = (20, 5)
        },
        sample("mackey_glass", MackeyGlassOptions(), data) {
          ($0.length, $0.washout, $0.offset, $0.delay, $0.substeps) = (12, 3, 4, 5, 2)
        },
        sample("delay", DelayOptions(), data) { ($0.delay, $0.frequency) = (10, 2) },
      ]
    }
    + TrainingData.allCases.flatMap { data in
      KeyValueSetting.allCases.map { setting in
        sample("key_value_capacity", KeyValueCapacityOptions(), data, "\(setting) ") {
          ($0.size, $0.setting) = (6, setting)
        }
      }
        + BindingRule.allCases.map { rule in
          sample("variable_binding", VariableBindingOptions(), data, "\(rule) ") {
            ($0.rule, $0.dimension, $0.variables, $0.horizon) = (rule, 3, 4, 9)
          }
        }
    }

  /// `mqar` with parts: 28 and 12 training sequences, 25 and 17 of each of two parts.
  static let mixed: [TaskSample] = TrainingData.allCases.map { data in
    var options = MultiQueryRecallOptions()
    (options.vocabulary, options.data) = (40, data)
    (options.trainLengths, options.trainPairs, options.trainSizes) = ([16, 20], [3, 5], [28, 12])
    (options.testLengths, options.testPairs) = ([16, 32], [4, 8])
    (options.validationSize, options.testSize) = (25, 17)
    var sample = generated("mqar", "mixed \(data)", options)
    sample.sizes = [40, 50, 34]
    return sample
  }

  /// Tasks over data sets, with made-up contents: the published ones may be absent.
  static let stored: [TaskSample] =
    PixelOrder.allCases.map { order in
      TaskSample(kind: "mnist_pixels", variant: "\(order)", sizes: [40, 25, 17], isFixed: true) {
        key in
        var options = MnistPixelsOptions()
        (options.order, options.trainSize, options.validationSize) = (order, 40, 25)
        options.testSize = 17
        return StoredTask(MnistPixels(options: options, set: randomImages), key: key)
      }
    }
    + BabiScoring.allCases.map { scoring in
      TaskSample(kind: "catbabi", variant: "\(scoring)", sizes: [40, 25, 17], isFixed: true) {
        key in
        var options = CatBabiOptions()
        (options.scoring, options.stories, options.unroll) = (scoring, 1, 9)
        return CatBabi(options: options, set: madeUpStories, key: key)
      }
    }

  private static let randomImages: MnistSet = {
    var draws = PhiloxStream(key: PhiloxKey(10), stream: 0)
    let sizes = [45, 30, 20]
    let count = sizes.reduce(0, +)
    return MnistSet(
      images: (0..<count * MnistSet.pixels).map { _ in UInt8(draws.integer(below: 256)) },
      labels: (0..<count).map { _ in UInt8(draws.integer(below: 10)) }, sizes: sizes)
  }()

  /// 40, 25 and 17 stories of two tasks, no two alike.
  private static let madeUpStories: BabiStories = {
    func text(_ count: Int, _ who: String) -> ArraySlice<UInt8> {
      let lines = (0..<count).map { i in
        "1 \(who)\(i) is tall.\n2 Is \(who)\(i) tall?\tyes\t1\n3 Is he\(i) small? \tno,never\t1\n"
      }
      return Array(lines.joined().utf8)[...]
    }
    return BabiStories(
      train: (1...2).map { ($0, text(20, "a\($0)x")) },
      validation: [(1, text(25, "v"))], test: [(2, text(17, "t"))])
  }()

  private static func sample<O: Options & SizedOptions>(
    _ kind: String, _ options: O, _ data: TrainingData, _ variant: String = "",
    _ change: (inout O) -> Void
  ) -> TaskSample {
    var options = options
    change(&options)
    options.data = data
    (options.trainSize, options.validationSize, options.testSize) = (40, 25, 17)
    return generated(kind, "\(variant)\(data)", options)
  }
}

/// The options that all generated tasks share.
protocol SizedOptions {
  var data: TrainingData { get set }
  var trainSize: Int { get set }
  var validationSize: Int { get set }
  var testSize: Int { get set }
}

extension MultiQueryRecallOptions: SizedOptions {}
extension RepeatOptions: SizedOptions {}
extension RandomMemorizationOptions: SizedOptions {}
extension MemoryVerificationOptions: SizedOptions {}
extension MackeyGlassOptions: SizedOptions {}
extension DelayOptions: SizedOptions {}
extension KeyValueCapacityOptions: SizedOptions {}
extension VariableBindingOptions: SizedOptions {}
