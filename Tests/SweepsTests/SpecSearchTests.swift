import MemoryNets
import Sweeps
import Testing

@Suite struct SpecSearchTests {
  @Test func everyConfigurationGetsItsFirstSeedFirst() throws {
    let spec = try spec(wholeFile)
    let all = trials(spec)
    #expect(all.count == 750)
    #expect(SearchRegistry.source(spec, identifier: identifier).count == 750)
    #expect(Set(all.map(\.identity)).count == 750)
    #expect(all.prefix(75).allSatisfy { $0.seed == 1 })
    #expect(all.map(\.seed) == all.map(\.seed).sorted())
    // Paired: the same configurations with each seed, in the same order.
    #expect(all.prefix(75).map(\.parameters) == all.suffix(75).map(\.parameters))
  }

  @Test func theCostliestComeFirst() throws {
    let source = SearchRegistry.source(try spec(wholeFile), identifier: identifier) {
      configuration in
      guard case .integer(let size)? = configuration.model["hidden_size"] else { return .nan }
      return Double(size)
    }
    var sizes: [String] = []
    while let trial = source.next(), trial.seed == 1 {
      sizes.append(trial.configuration.model["hidden_size"]?.text ?? "")
    }
    #expect(sizes == sizes.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) })
    #expect(sizes.first == "100")
  }

  @Test func configurationsThatMethodsShareComeOnce() throws {
    let spec = try spec(
      smallFile + """
        methods:
          a: {parameters: {train.steps: {values: [1, 2]}}}
          b: {parameters: {train.steps: {values: [2, 3]}}}

        """)
    let all = trials(spec)
    #expect(all.map(\.method) == ["a", "a", "b"])
    #expect(TrialGrid(spec, identifier: identifier).count == 3)
  }

  @Test func aMillionTrialsAreMadeOneByOne() throws {
    let spec = try spec(
      smallFile + """
        parameters:
          train.steps: {integers: [1, 1000]}
          train.batch_size: {integers: [1, 1000]}
        seeds: {count: 1000}

        """)
    let grid = TrialGrid(spec, identifier: identifier)
    #expect(grid.count == 1_000_000_000)
    #expect(SweepPlan(spec).trials == 1_000_000_000)
    for index in 1...3 {
      #expect(grid.next()?.parameters.map(\.value) == [.integer(1), .integer(index)])
    }
  }

  @Test func largeGridsSkipWhatDoesNotExist() throws {
    let spec = try spec(
      smallFile + """
        parameters:
          train.steps: {integers: [1, 1000]}
          train.batch_size: {integers: [1, 1000]}
        exclude: [{train.batch_size: [1, 3]}]

        """)
    let grid = TrialGrid(spec, identifier: identifier)
    #expect(grid.count == nil)
    #expect(grid.next()?.configuration.train["batch_size"] == .integer(2))
    #expect(grid.next()?.configuration.train["batch_size"] == .integer(4))
  }

  private let random =
    smallFile + """
      methods: {a: {}, b: {model: {cell: fw_lstm}}}
      parameters:
        train.learning_rate: {log_uniform: [1e-4, 1e-1]}
        train.momentum: {uniform: [0, 0.5]}
        train.steps: {integers: [1, 1000]}
      zip: [{train.batch_size: [1, 2], task.delay: [10, 20]}]
      search: {method: random, trials: 20, key: 7}
      seeds: {count: 2}

      """

  @Test func randomDrawsAreRepeatableAndPaired() throws {
    let all = trials(try spec(random))
    #expect(all == trials(try spec(random)))
    #expect(all.count == 80)
    let a = all.filter { $0.method == "a" && $0.seed == 1 }
    let b = all.filter { $0.method == "b" && $0.seed == 1 }
    #expect(a.map(\.parameters) == b.map(\.parameters))
    #expect(Set(a.map(\.parameters)).count == 20)
    for trial in all {
      guard case .number(let rate)? = trial.configuration.train["learning_rate"],
        case .number(let momentum)? = trial.configuration.train["momentum"],
        case .integer(let size)? = trial.configuration.train["batch_size"]
      else {
        Issue.record("types")
        return
      }
      #expect(rate >= 1e-4 && rate < 1e-1 && momentum >= 0 && momentum < 0.5)
      #expect(trial.configuration.task["delay"] == .integer(10 * size))
    }
    let small = a.count {
      if case .number(let rate)? = $0.configuration.train["learning_rate"] {
        rate < 3.2e-3
      } else {
        false
      }
    }
    #expect((5...15).contains(small))
  }

  @Test func moreRandomTrialsContainTheFewer() throws {
    let few = trials(try spec(random))
    let more = trials(try spec(random, overrides: ["search.trials=30"]))
    #expect(Set(few).isStrictSubset(of: Set(more)))
    let other = trials(try spec(random, overrides: ["search.key=8"]))
    #expect(Set(few).isDisjoint(with: Set(other)))
  }

  @Test func randomDrawsObeyExclusionsAndConditions() throws {
    let all = trials(
      try spec(
        smallFile + """
          parameters:
            train.optimizer: {values: [sgd, adam]}
            train.momentum: {values: [0.1, 0.2], when: {train.optimizer: sgd}}
          exclude: [{train.momentum: 0.1}]
          search: {method: random, trials: 50}

          """))
    // What repeats comes once: sgd with 0.2 and adam.
    #expect(all.count == 2)
    #expect(Set(all.map(\.parameters.count)) == [1, 2])
  }
}

@Suite struct SpecIdentityTests {
  private func first(_ yaml: String, overrides: [String] = []) throws -> TrialConfiguration {
    try #require(trials(try spec(yaml, overrides: overrides)).first).configuration
  }

  private func identity(_ yaml: String, overrides: [String] = []) throws -> TrialIdentity {
    identifier.identity(of: try first(yaml, overrides: overrides))
  }

  @Test func configurationsReturnFromJSON() throws {
    for trial in trials(try spec(wholeFile)).prefix(40) {
      let json = trial.configuration.canonicalJSON
      #expect(try TrialConfiguration(json: json) == trial.configuration)
      #expect(try TrialConfiguration(json: json).canonicalJSON == json)
    }
    var odd = try first(smallFile)
    odd.task["text"] = .string("\"\\\u{1}\n😀\u{E9}e\u{301}")
    odd.task["list"] = .list([
      .integer(.max), .number(5), .number(1e-300), .boolean(true), .list([]),
    ])
    odd.metric.target = 5
    #expect(try TrialConfiguration(json: odd.canonicalJSON) == odd)
  }

  @Test(arguments: [
    "", "{", "[]", "{\"task\":{}}", "{\"a\":1,\"a\":2}", "nul", "1 2", "\"\\ud800\"", "{\"a\":01}",
  ])
  func damagedJSONIsRefused(text: String) {
    #expect(throws: TrialConfigurationError.self) { try TrialConfiguration(json: text) }
  }

  @Test func deepJSONIsRefused() {
    let text = String(repeating: "[", count: 100_000)
    #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
  }

  @Test func theCanonicalTextIsStable() throws {
    var configuration = try first(smallFile)
    configuration.train = ["steps": .integer(3), "learning_rate": .number(0.001)]
    configuration.model = ["cell": .string("lstm"), "clip": .number(5)]
    #expect(
      configuration.canonicalJSON
        == #"{"metric":{"goal":"minimize","name":"validation.loss","stop_at_target":false,"#
        + #""target":null},"model":{"cell":"lstm","clip":5.0},"seed":1,"#
        + #""task":{"delay":10,"kind":"copy"},"train":{"learning_rate":0.001,"steps":3},"#
        + #""vary":["data","init","order"]}"#)
    // A changed identity would lose finished trials of existing sweeps.
    #expect(
      identifier.identity(of: configuration).description == "dcba0e40aa52b716cabeb5f5a2f6af68")
  }

  @Test func spellingIsOutsideTheIdentity() throws {
    let plain = try identity(smallFile)
    #expect(try identity("# a comment\n" + smallFile) == plain)
    for same in [
      "train.learning_rate=0.001", "train.learning_rate=1E-3", "train.steps=1e3",
      "train.clip_norm=0", "name=other", "output.directory=elsewhere", "retry.crash=9",
      "resources.memory=1GiB", "checkpoint.every=5s", "metric.name=test.loss", "task.delay=10",
    ] {
      let extra = same.hasPrefix("metric") ? ["metric.goal=minimize"] : []
      #expect(try identity(smallFile, overrides: [same] + extra) == plain, "\(same)")
    }
    let named = try identity(smallFile + "methods: {zzz: {}}\n")
    #expect(named == plain)
  }

  @Test func whatDeterminesTheResultIsInTheIdentity() throws {
    var seen: Set<TrialIdentity> = [try identity(smallFile)]
    let metric = ["metric.name=test.loss", "metric.goal=minimize"]
    for different in [
      ["train.learning_rate=2e-3"], ["model.cell=gru"], ["task.delay=11"], ["seeds.first=2"],
      ["seeds.vary=init"], ["train.early_stop_patience=2"],
      ["train.early_stop_patience=2"] + metric, ["train.schedule=plateau"],
      ["train.schedule=plateau"] + metric,
      metric + ["metric.target=0.5", "metric.stop_at_target=true"],
      metric + ["metric.target=0.6", "metric.stop_at_target=true"],
    ] {
      #expect(seen.insert(try identity(smallFile, overrides: different)).inserted, "\(different)")
    }
    let configuration = try first(smallFile)
    for other in [
      TrialIdentifier(numericContract: "other") { _ in "" },
      TrialIdentifier(numericContract: "test") { _ in "digest" },
      TrialIdentifier(numericContract: "test", threads: 2) { _ in "" },
    ] {
      #expect(seen.insert(other.identity(of: configuration)).inserted)
    }
  }

  @Test func ranksAreOutsideTheIdentityWhereTheyDoNotMatter() throws {
    let alone = try identity(smallFile)
    let one = try identity(smallFile, overrides: ["resources.ranks_per_trial=1"])
    #expect(one != alone, "a batch in shards has other bits")
    for same in [
      ["resources.ranks_per_trial=2"], ["resources.ranks_per_trial=4"],
      ["data_parallel.shards=4"], ["data_parallel.reduction=reproducible"],
    ] {
      #expect(try identity(smallFile, overrides: same) == one, "\(same)")
    }
    var seen: Set = [alone, one]
    for different in [
      ["data_parallel.shards=2"], ["data_parallel.reduction=fast"],
      ["data_parallel.reduction=fast", "resources.ranks_per_trial=2"],
      ["data_parallel.reduction=fast", "resources.ranks_per_trial=4"],
      ["data_parallel.reduction=fast", "data_parallel.gradients=bfloat16"],
    ] {
      #expect(
        seen.insert(try identity(smallFile, overrides: different)).inserted, "\(different)")
    }
    #expect(try identity(smallFile, overrides: ["data_parallel.shards=1"]) == alone)
  }

  @Test func methodsHaveRanksOfTheirOwn() throws {
    let trials = trials(
      try spec(
        smallFile + """
          methods:
            a: {model: {cell: gru}}
            b: {model: {cell: lstm}, resources: {ranks_per_trial: 4}}

          """))
    #expect(trials.map(\.ranks) == [1, 4])
    #expect(trials.map(\.configuration.sharing.shards) == [1, 4])
    for trial in trials {
      #expect(
        try TrialConfiguration(json: trial.configuration.canonicalJSON) == trial.configuration)
    }
  }

  @Test func moreSeedsAndValuesKeepTheTrialsThatWere() throws {
    let few = Set(trials(try spec(wholeFile)).map(\.identity))
    let more = Set(
      trials(
        try spec(
          wholeFile, overrides: ["seeds.count=11", "train.learning_rate=1e-3,3e-3,1e-2"])
      ).map(\.identity))
    #expect(few.isStrictSubset(of: more))
  }
}
