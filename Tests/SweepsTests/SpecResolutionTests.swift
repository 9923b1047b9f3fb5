import MemoryNets
import Sweeps
import Testing

/// What a sweep file means: precedence, overrides, conditions and counts.
@Suite struct SpecResolutionTests {
  @Test func settingsAreRead() throws {
    let spec = try spec(wholeFile)
    #expect(spec.name == "wtt")
    #expect(spec.seeds.count == 10)
    #expect(
      spec.metric
        == MetricGoal(
          name: "validation.accuracy", direction: .maximize, target: 0.99, stopsAtTarget: true))
    #expect(spec.resources.memoryBytes == 2 << 30)
    #expect(spec.dataParallel.shards == 4)
    #expect(RetrySettings.budget(spec.retry.crash) == 2)
    #expect(RetrySettings.budget(spec.retry.preempted) == nil)
    #expect(spec.checkpoint.everySeconds == 60)
    #expect(spec.checkpoint.keep.best == 1)
    #expect(spec.outputDirectory == "runs/wtt")
  }

  @Test func whatIsLeftOutHasADefault() throws {
    let spec = try spec("memsweep: 1\ntask: {kind: copy}\n")
    #expect(spec.name == "a")
    #expect(spec.methods.map(\.name) == ["a"])
    #expect(spec.outputDirectory == "runs/a")
    #expect(spec.resources.memoryBytes == nil)
    let all = trials(spec)
    #expect(all.count == 1)
    #expect(all[0].configuration.train == OptionSchema(defaults: PlainTraining()).defaults)
    #expect(all[0].configuration.task == ["kind": .string("copy"), "delay": .integer(10)])
    #expect(all[0].configuration.model["forget_bias"] == .number(1))
    #expect(all[0].configuration.model["cell"] == .string("lstm"))
  }

  @Test func methodsOverrideZipsOverrideDimensionsOverrideBase() throws {
    let spec = try spec(
      smallFile.replacing("{cell: lstm}", with: "{cell: lstm, hidden_size: 1, forget_bias: 0}")
        + """
          train: {steps: 1, batch_size: 1}
        methods: {a: {model: {forget_bias: 2}}}
        parameters: {model.hidden_size: {values: [3]}}
        zip: [{train.steps: [4], train.batch_size: [5]}]

        """)
    let configuration = trials(spec)[0].configuration
    #expect(configuration.model["forget_bias"] == .number(2))
    #expect(configuration.model["hidden_size"] == .integer(3))
    #expect(configuration.train["steps"] == .integer(4))
    #expect(configuration.train["batch_size"] == .integer(5))
  }

  @Test func nestedAndDottedParametersAreTheSame() throws {
    let dotted = try spec(smallFile + "parameters: {train.steps: {values: [1, 2]}}\n")
    let nested = try spec(smallFile + "parameters: {train: {steps: {values: [1, 2]}}}\n")
    #expect(trials(dotted) == trials(nested))
    #expect(trials(dotted).count == 2)
  }

  @Test func conditionsRemoveADimensionWhereTheyDoNotHold() throws {
    let spec = try spec(
      smallFile + """
        methods: {a: {}, b: {model: {cell: fw_lstm}}}
        parameters:
          model.decay: {values: [0.5, 0.9], when: {model.cell: [fw_lstm]}}
          train.optimizer: {values: [sgd, adam]}
          train.momentum: {values: [0.1, 0.2, 0.3], when: {train.optimizer: sgd}}

        """)
    let all = trials(spec)
    #expect(all.count(where: { $0.method == "a" }) == 4)
    #expect(all.count(where: { $0.method == "b" }) == 8)
    #expect(Set(all.map(\.identity)).count == 12)
    for trial in all where trial.configuration.train["optimizer"] == .string("adam") {
      #expect(!trial.parameters.contains { $0.path == "train.momentum" })
      #expect(trial.configuration.train["momentum"] == .number(0))
    }
    let plan = SweepPlan(spec)
    #expect(plan.methods.map(\.configurations) == [4, 8])
    #expect(plan.methods[0].dimensions.map(\.path) == ["train.optimizer", "train.momentum"])
    #expect(plan.isExact)
  }

  @Test func aMethodMayFixWhatADimensionDoesNotReach() throws {
    let spec = try spec(
      smallFile + """
        methods: {a: {model: {hidden_size: 7}}, b: {model: {cell: fw_lstm}}}
        parameters: {model.hidden_size: {values: [20, 50], when: {model.cell: fw_lstm}}}

        """)
    let sizes = trials(spec).map { $0.configuration.model["hidden_size"] }
    #expect(sizes == [.integer(7), .integer(20), .integer(50)])
  }

  @Test func excludedCombinationsAreLeftOut() throws {
    let spec = try spec(
      smallFile + """
        parameters: {train.learning_rate: {values: [1e-3, 3e-3]}, train.steps: {values: [1, 2]}}
        exclude: [{train.learning_rate: 0.003, train: {steps: 1e0}}]

        """)
    #expect(trials(spec).count == 3)
    #expect(SweepPlan(spec).trials == 3)
  }

  @Test func dimensionsOfNumbersCountUp() throws {
    let spec = try spec(
      smallFile + """
        parameters:
          train.momentum: {range: [0.1, 0.4, 0.1]}
          train.steps: {integers: [3, 5]}

        """)
    let all = trials(spec)
    #expect(all.count == 12)
    #expect(
      all.prefix(4).map { $0.parameters.map(\.value.text) }
        == [["0.1", "3"], ["0.1", "4"], ["0.1", "5"], ["0.2", "3"]])
    #expect(all.last?.parameters.map(\.value) == [.number(0.4), .integer(5)])
  }

  @Test func theWholeFileHasItsCounts() throws {
    let plan = SweepPlan(try spec(wholeFile))
    // 2 rates x 3 sizes - 1 excluded, x 3 zipped, x 2 memories of weinet.
    #expect(plan.methods.map(\.configurations) == [15, 15, 15, 30])
    #expect(plan.trials == 750)
    #expect(plan.methods[3].dimensions.last?.values == "2, 3")
    #expect(plan.methods[0].dimensions.map(\.kind) == ["values", "values", "zip", "zip"])
  }

  @Test func overridesReplaceWhatTheFileSays() throws {
    let spec = try spec(
      wholeFile,
      overrides: [
        "train.learning_rate=1e-2,3e-2,1e-1", "model.hidden_size=20", "seeds.count=3",
        "task.pairs=2", "train.steps=5", "seeds.vary=init,data", "name=other",
        "methods.lstm.model.forget_bias=3", "train.freeze=[memory, readout]",
      ], methods: ["lstm", "fw_lstm"])
    #expect(spec.methods.map(\.name) == ["lstm", "fw_lstm"])
    #expect(spec.name == "other")
    let plan = SweepPlan(spec)
    #expect(plan.methods.map(\.configurations) == [3, 3])
    #expect(plan.trials == 18)
    let first = trials(spec)[0].configuration
    #expect(first.task["pairs"] == .integer(2))
    #expect(first.model["hidden_size"] == .integer(20))
    #expect(first.model["forget_bias"] == .number(3))
    #expect(first.train["freeze"] == .list([.string("memory"), .string("readout")]))
    #expect(first.vary == [.`init`, .data])
  }

  @Test func overridesKeepTheConditionOfADimension() throws {
    let file =
      smallFile + """
        methods: {a: {}, b: {model: {cell: fw_lstm}}}
        parameters: {model.decay: {values: [0.5], when: {model.cell: fw_lstm}}}

        """
    let spec = try spec(file, overrides: ["model.decay=0.1,0.2"])
    #expect(SweepPlan(spec).methods.map(\.configurations) == [1, 2])
  }

  @Test func overridesMayBeDimensions() throws {
    let spec = try spec(
      smallFile,
      overrides: ["train.learning_rate={log_uniform: [1e-4, 1e-1]}", "search.method=random"])
    #expect(spec.dimensions.map(\.domain.name) == ["log_uniform"])
  }

  @Test func problemsOfOverridesNameTheArgument() {
    #expect(
      problems(smallFile, overrides: ["train.learning_rat=1"]).first?.hasPrefix(
        "command line: train.learning_rat=1: no such option; did you mean learning_rate?"
      )
        == true)
    #expect(
      problems(smallFile, overrides: ["train.steps=5,ten"]).first?.contains(
        "is \"ten\"; an integer is needed") == true)
    #expect(
      problems(smallFile, overrides: ["seeds.cuont=5"]).first?.hasPrefix(
        "command line: seeds.cuont=5: no such setting; did you mean count?") == true)
    #expect(problems(smallFile, overrides: ["steps"]).first?.contains("path=value") == true)
    #expect(problems(smallFile, overrides: ["train..steps=1"]).count == 1)
    #expect(problems(smallFile, overrides: ["train.steps=[1"]).count == 1)
  }

  @Test func aSettingThatNoMethodTakesIsRefused() {
    #expect(
      problems(wholeFile, overrides: ["model.cell=gru"]) == [
        "command line: model.cell=gru: changes nothing: every method that is run sets it itself; "
          + "methods.lstm.model.cell=... changes one"
      ])
  }

  @Test func unknownMethodsNameTheNearest() {
    #expect(
      problems(wholeFile, methods: ["lstm", "weiner"]) == [
        "command line: --methods lstm,weiner: weiner: no such method; did you mean weinet? known are"
          + " lstm, gru, fw_lstm, weinet"
      ])
  }

  @Test func configurationsDecodeToTheTypesOfTheEngine() throws {
    let trial = try #require(trials(try spec(wholeFile)).last)
    let decoded = try vocabulary.decode(trial.configuration)
    #expect(decoded.cell.name == "fw_lstm")
    #expect((decoded.cellOptions as? FastOptions)?.memories == 3)
    #expect((decoded.taskOptions as? RetrievalOptions)?.layout == .modified)
    #expect((decoded.train as? PlainTraining)?.clipNorm == 5)
    #expect(decoded.model.embeddingSize == 100)
    var broken = trial.configuration
    broken.model["decai"] = .number(1)
    let error = #expect(throws: OptionProblems.self) { try vocabulary.decode(broken) }
    #expect(error?.problems.map(\.option) == ["model.decai"])
  }

  @Test(arguments: [
    ("60s", 60.0), ("10m", 600), ("04:00:00", 14400), ("2d", 172_800), ("1.5h", 5400),
    ("500ms", 0.5), ("10:30", 630), ("1-00:00:01", 86401),
  ])
  func timesAreRead(text: String, seconds: Double) {
    #expect(Quantity.seconds(text) == seconds)
  }

  @Test(arguments: ["60", "", "s", "1:2", "04:60:00", "-5s", "1w", "1:00:00:00", "0128s"])
  func whatIsNoTimeIsRefused(text: String) {
    #expect(Quantity.seconds(text) == nil)
  }

  @Test func sizesAreRead() {
    #expect(Quantity.bytes("2GiB") == 2 << 30)
    #expect(Quantity.bytes("1.5 MB") == 1_500_000)
    #expect(Quantity.bytes("2") == nil)
    #expect(Quantity.bytes("9e9TiB") == nil)
  }
}
