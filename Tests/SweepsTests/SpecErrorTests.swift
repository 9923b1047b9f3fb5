import Sweeps
import Testing

/// Each rule of the sweep file, by what is said when it is broken.
@Suite struct SpecErrorTests {
  /// Expects exactly one problem, at a place and with these words.
  private func expectOne(
    _ yaml: String, _ place: String, _ words: String..., overrides: [String] = [],
    location: SourceLocation = #_sourceLocation
  ) {
    let found = problems(yaml, overrides: overrides)
    #expect(found.count == 1, "\(found)", sourceLocation: location)
    let line = found.first ?? ""
    #expect(line.hasPrefix(place), "\(line)", sourceLocation: location)
    for word in words { #expect(line.contains(word), "\(line)", sourceLocation: location) }
  }

  @Test func theWholeFileIsGood() {
    #expect(problems(wholeFile) == [])
    #expect(problems(smallFile) == [])
  }

  @Test func allProblemsAreReportedTogetherInTheOrderOfTheFile() {
    let found = problems(
      """
      memsweep: 2
      name: a/b
      task: {kind: copy, delai: 3}
      base:
        model: {cell: lstn}
        train: {batch_size: 0128, batch_size: 64}
      seeds: {count: many}
      serch: {method: grid}

      """)
    #expect(found.count == 8, "\(found)")
    let lines = found.compactMap { Int($0.split(separator: ":")[1]) }
    #expect(lines == [1, 2, 3, 5, 6, 6, 7, 8], "\(found)")
  }

  @Test func theVersionIsRequired() {
    expectOne("name: a\ntask: {kind: copy}\n", "a.yaml:1:1: memsweep: is missing")
    expectOne("memsweep: 2\ntask: {kind: copy}\n", "a.yaml:1:11: memsweep: is \"2\"", "version 1")
  }

  @Test func unknownSectionNamesTheNearest() {
    expectOne(smallFile + "paramters: {}\n", "a.yaml:6:1: paramters:", "did you mean parameters?")
  }

  @Test func unknownOptionNamesTheNearest() {
    expectOne(
      smallFile + "parameters: {train.learning_rat: {values: [1]}}\n",
      "a.yaml:6:14: parameters.train.learning_rat:", "did you mean learning_rate?")
  }

  @Test func anOptionWithoutItsSectionNamesIt() {
    expectOne(
      smallFile + "parameters: {steps: {values: [1]}}\n", "a.yaml:6:14: parameters.steps:",
      "did you mean train.steps?")
  }

  @Test func rangesAreCheckedBesideOtherMistakes() {
    let found = problems(
      smallFile + "methods: {a: {model: {decay: 0.5, hidden_size: 0}}}\n")
    #expect(found.count == 2, "\(found)")
  }

  @Test func unknownCellNamesTheKnownOnes() {
    expectOne(
      smallFile + "methods: {a: {model: {cell: fw_lst}}}\n", "a.yaml:6:29: methods.a.model.cell:",
      "not one of lstm, fw_lstm, gru", "did you mean fw_lstm?")
  }

  @Test func unknownTaskNamesTheKnownOnes() {
    expectOne(
      "memsweep: 1\ntask: {kind: copi}\n", "a.yaml:2:14: task.kind:",
      "not one of associative_retrieval, copy", "did you mean copy?")
  }

  @Test func theTaskIsRequired() {
    expectOne("memsweep: 1\n", "a.yaml:1:1: task.kind: is missing", "associative_retrieval, copy")
  }

  @Test func optionOfAnotherCellNamesThoseOfThisOne() {
    expectOne(
      smallFile + "methods: {a: {model: {decay: 0.5}}}\n", "a.yaml:6:30: model.decay:",
      "the cell lstm has no such option", "hidden_size, forget_bias")
  }

  @Test func optionOfAnotherTaskNamesThoseOfThisOne() {
    expectOne(
      "memsweep: 1\ntask: {kind: copy, pairs: 3}\n", "a.yaml:2:27: task.pairs:",
      "the task copy has no such option", "known are delay")
  }

  @Test func dimensionOfSomeCellsNeedsWhen() {
    let methods = "methods: {a: {}, b: {model: {cell: fw_lstm}}}\n"
    expectOne(
      smallFile + methods + "parameters: {model.decay: {values: [0.5, 0.9]}}\n",
      "a.yaml:7:14: model.decay:", "when: {model.cell: [fw_lstm]}")
    #expect(
      problems(
        smallFile + methods
          + "parameters: {model.decay: {values: [0.5, 0.9], when: {model.cell: [fw_lstm]}}}\n")
        == [])
  }

  @Test func wrongTypesStandAtTheirPlace() {
    expectOne(
      smallFile + "parameters: {train.steps: {values: [10, ten]}}\n", "a.yaml:6:41:",
      "is \"ten\"; an integer is needed")
    expectOne(
      smallFile + "parameters: {train.steps: {values: [10, [1]]}}\n", "a.yaml:6:41:", "is a list")
    expectOne(smallFile + "seeds: {count: [1]}\n", "a.yaml:6:16: seeds.count:", "is a list")
  }

  @Test func leadingZerosAreRefused() {
    expectOne(
      smallFile + "parameters: {train.batch_size: 0128}\n", "a.yaml:6:32:", "128 is meant")
  }

  @Test func valuesOutOfRangeStandAtTheirPlace() {
    expectOne(
      smallFile + "parameters: {train.learning_rate: {values: [1, -1]}}\n", "a.yaml:6:48:",
      "train.learning_rate: is -1.0; above 0 is needed")
    expectOne(smallFile + "seeds: {count: 0}\n", "a.yaml:6:16: seeds.count: is 0")
  }

  @Test func valuesOfLargeGridsAreAllLookedAt() {
    let many = (1...200).map { "\($0)" }.joined(separator: ", ")
    expectOne(
      smallFile + "parameters:\n  train.steps: {values: [\(many)]}\n"
        + "  train.batch_size: {values: [\(many)]}\n  model.hidden_size: {values: [1, 2, 0]}\n",
      "a.yaml:9:38:", "model.hidden_size: is 0")
  }

  @Test func duplicateKeysAreAllReported() {
    let found = problems(
      "memsweep: 1\ntask: {kind: copy}\nname: a\nname: b\nname: c\nseeds: {count: 1, count: 2}\n")
    #expect(found.count == 3, "\(found)")
    #expect(found.first == "a.yaml:4:1: name is given twice; line 3 has it first")
    #expect(found.last == "a.yaml:6:19: count is given twice; line 6 has it first")
  }

  @Test func aPathGivenDottedAndNestedIsRefused() {
    expectOne(
      smallFile + "parameters: {train.steps: {values: [1]}, train: {steps: {values: [2]}}}\n",
      "a.yaml:6:50:", "given twice")
  }

  @Test func aMethodThatFixesASharedDimensionIsRefused() {
    expectOne(
      smallFile + "methods: {a: {model: {hidden_size: 3}}, b: {}}\n"
        + "parameters: {model.hidden_size: {values: [20, 50]}}\n",
      "a.yaml:6:36: methods.a.model.hidden_size:", "dimension of all methods (line 7)")
  }

  @Test func aMethodThatVariesASharedDimensionIsRefused() {
    expectOne(
      smallFile + "methods: {a: {parameters: {train.steps: {values: [1, 2]}}}}\n"
        + "zip: [{train.steps: [3, 4], train.batch_size: [1, 2]}]\n",
      "a.yaml:6:28: methods.a.train.steps:", "dimension of all methods")
  }

  @Test func whenLooksOnlyAtWhatIsSet() {
    expectOne(
      smallFile + "parameters: {train.momentum: {values: [0, 1], when: {train.optimizer: sgd}}}\n",
      "a.yaml:6:54: when.train.optimizer:", "neither set nor a dimension")
  }

  @Test func excludeLooksOnlyAtWhatIsSet() {
    expectOne(
      smallFile + "exclude: [{train.steps: 7}]\n", "a.yaml:6:12: exclude.train.steps:",
      "neither set nor a dimension")
  }

  @Test func whenInACircleIsRefused() {
    expectOne(
      smallFile + "parameters:\n  train.momentum: {values: [1, 2], when: {train.steps: 1}}\n"
        + "  train.steps: {values: [1, 2], when: {train.momentum: 1}}\n",
      "a.yaml:7:3: train.momentum:", "depends on itself")
  }

  @Test func anEmptyGridIsRefused() {
    expectOne(
      smallFile + "parameters: {train.steps: {values: [1, 2]}}\nexclude: [{train.steps: [1, 2]}]\n",
      "a.yaml:7:11: exclude:", "leaves no configuration of the method small")
  }

  @Test func sameMethodsAreRefused() {
    expectOne(
      smallFile + "methods: {a: {}, b: {train: {learning_rate: 0.001}}}\n",
      "a.yaml:6:18: methods.b:",
      "the same as a")
  }

  @Test func zipNeedsEqualLengths() {
    expectOne(
      smallFile + "zip: [{train.steps: [1, 2], task.delay: [1, 2, 3]}]\n",
      "a.yaml:6:29: zip.1.task.delay:", "3 values", "2")
  }

  @Test func aPathIsVariedOnce() {
    expectOne(
      smallFile + "parameters: {train.steps: {values: [1, 2]}}\nzip: [{train.steps: [1, 2]}]\n",
      "a.yaml:7:8: train.steps:", "more than once")
  }

  @Test func aValueStandsInADimensionOnce() {
    expectOne(
      smallFile + "parameters: {train.learning_rate: {values: [1e-3, 0.001]}}\n", "a.yaml:6:51:",
      "0.001 is among the values twice")
  }

  @Test func anUnknownOperatorNamesTheNearest() {
    expectOne(
      smallFile + "parameters: {train.steps: {values: [1], wen: {train.steps: 1}}}\n",
      "a.yaml:6:41:", "did you mean when?")
    expectOne(
      smallFile + "parameters: {train.steps: {vals: [1]}}\n", "a.yaml:6:28:", "values, uniform")
    expectOne(
      smallFile + "parameters: {train.steps: {values: [1], integers: [1, 2]}}\n", "a.yaml:6:27:",
      "several of")
  }

  @Test func aListIsNoDimension() {
    expectOne(
      smallFile + "parameters: {train.freeze: [memory]}\n", "a.yaml:6:28:", "{values: [memory]}")
    expectOne(
      smallFile + "parameters: {train.steps: [1, 2]}\n", "a.yaml:6:27:", "{values: [...]}")
  }

  @Test func dimensionsDoNotStandInBase() {
    expectOne(
      "memsweep: 1\ntask: {kind: copy, delay: {values: [1, 2]}}\n", "a.yaml:2:20: task.delay:",
      "parameters")
  }

  @Test func aGridNeedsCountableDimensions() {
    let file = smallFile + "parameters: {train.learning_rate: {log_uniform: [1e-4, 1e-1]}}\n"
    expectOne(file, "a.yaml:6:14: train.learning_rate:", "search: {method: random}")
    #expect(problems(file + "search: {method: random, trials: 3}\n") == [])
  }

  @Test(arguments: [
    "{log_uniform: [0, 1]}", "{uniform: [1, 0]}", "{uniform: [1]}", "{range: [0, 1, 0]}",
    "{range: [0, 1]}", "{uniform: 3}", "{values: []}",
  ])
  func intervalsAreChecked(dimension: String) {
    expectOne(
      smallFile + "search: {method: random}\nparameters: {train.momentum: \(dimension)}\n",
      "a.yaml:7:", "needed")
  }

  @Test func intervalsAreForNumbers() {
    expectOne(
      smallFile + "search: {method: random}\nparameters: {train.steps: {uniform: [1, 10]}}\n",
      "a.yaml:7:28:", "use integers")
  }

  @Test func unknownSearchesNameThoseThatExist() {
    for name in ["sobol", "tpe", "successive_halving"] {
      expectOne(
        smallFile + "search: {method: \(name)}\n", "a.yaml:6:18: search.method:",
        "not one of grid, random")
    }
  }

  @Test func ranksArePowersOfTwoAndThreadsOne() {
    let found = problems(smallFile + "resources: {ranks_per_trial: 3, threads: 4, memory: 2}\n")
    #expect(found.count == 3)
    #expect(found[0].contains("is 3; 1, 2, 4, 8 or another power of two up to 64 is needed"))
    #expect(found[1].contains("this version trains a trial with 1 thread"))
    #expect(found[2].contains("2GiB"))
  }

  @Test func ranksShardsAndBatchesFitEachOther() {
    expectOne(
      smallFile + "resources: {ranks_per_trial: 8}\n",
      "a.yaml:6:30: resources.ranks_per_trial: is 8,",
      "at most 4 ranks, or data_parallel: {shards: 8}")
    expectOne(
      smallFile + "parameters: {train.batch_size: {values: [20, 50]}}\n"
        + "resources: {ranks_per_trial: 2}\n",
      "a.yaml:6:46: train.batch_size:",
      "is 50, which 4 shards do not divide; 48 or 52 or data_parallel: {shards: 2}")
    expectOne(
      smallFile + "parameters: {train.batch_size: 10}\nresources: {ranks_per_trial: 4}\n"
        + "data_parallel: {reduction: fast}\n",
      "a.yaml:6:32: train.batch_size:",
      "is 10, which 4 ranks do not divide; 8 or 12 or resources: {ranks_per_trial: 2}")
    expectOne(
      smallFile + "data_parallel: {gradients: bfloat16}\n", "a.yaml:6:28: data_parallel.gradients:",
      "needs reduction: fast")
    expectOne(
      smallFile + "data_parallel: {shards: 6}\n", "a.yaml:6:25: data_parallel.shards:",
      "a power of two")
    // All at once, each at its place, those of methods too.
    let found = problems(
      smallFile + """
        methods:
          a: {model: {cell: gru}, train: {batch_size: 6}, resources: {ranks_per_trial: 8}}
          b: {model: {cell: lstm}, resources: {ranks: 2}}

        """)
    #expect(found.count == 3, "\(found)")
    #expect(found.contains { $0.contains("methods.a.resources.ranks_per_trial: is 8,") })
    #expect(found.contains { $0.contains("did you mean ranks_per_trial?") })
  }

  @Test func settingsOfTimeAndTimesAreChecked() {
    expectOne(
      smallFile + "checkpoint: {every: 60}\n", "a.yaml:6:21: checkpoint.every:", "04:00:00")
    expectOne(smallFile + "retry: {crash: often}\n", "a.yaml:6:16: retry.crash:", "unlimited")
    expectOne(
      smallFile + "checkpoint: {keep: {lst: 1}}\n", "a.yaml:6:21: checkpoint.keep.lst:",
      "did you mean last?")
  }

  @Test func theMetricIsChecked() {
    expectOne(
      smallFile + "metric: {name: validation.acuracy, goal: maximize}\n", "a.yaml:6:16:",
      "did you mean accuracy?")
    expectOne(
      smallFile + "metric: {name: accuracy, goal: maximize}\n", "a.yaml:6:16:",
      "train, validation, test")
    expectOne(
      smallFile + "metric: {name: test.loss}\n", "a.yaml:6:10: metric.goal: is missing")
    expectOne(
      smallFile + "metric: {name: test.loss, goal: minimize, stop_at_target: true}\n",
      "a.yaml:6:43: metric.stop_at_target:", "needs metric.target")
  }

  @Test func unreadableFilesAreNamed() {
    let error = #expect(throws: SpecErrors.self) {
      try SweepSpec.load(path: "/nonexistent/a.yaml", vocabulary: vocabulary)
    }
    #expect(error?.description == "/nonexistent/a.yaml:1:1: there is no such file")
  }
}
