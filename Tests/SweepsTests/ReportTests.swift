import MemoryNets
import Sweeps
import Testing

@Suite struct ReportTests {
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  @Test func reportIsATableWithBaselinesAndFailures() throws {
    let store = try Made.store(folder, sweep: Made.sweep(trialCount: 12))
    try Made.fill(store)
    let report = Report(try Summary(store.reader()))
    #expect(
      report.markdown == """
        # wtt

        `validation.accuracy` (maximize), target 0.9

        | method | hidden_size | seeds | accuracy |    95 % interval |    IQM | steps to target | \
        core-s to target | reached | weights | state | failures             |
        |--------|------------:|------:|---------:|-----------------:|-------:|----------------:|\
        -----------------:|--------:|--------:|------:|----------------------|
        | lstm   |          50 |     5 |   0.9400 | [0.9040, 0.9740] | 0.9440 |              62 | \
                    1.55 |     4/5 |    1234 |   100 | -                    |
        | elman  |           8 |     1 |   0.5000 |                - | 0.5000 |     not reached | \
             not reached |     0/3 |    1234 |   100 | 1 diverged, 1 failed |
        | elman  |         100 |     0 |        - |                - |      - |     not reached | \
             not reached |     0/1 |    1234 |   100 | 1 timed out          |

        - trivial predictor (mode of shown values): 0.3835

        Trials that did not complete:

        - elman, model.hidden_size 8, seed 2: diverged at step 17: the loss is nan
        - elman, model.hidden_size 8, seed 3: failed at step 3: out of memory, "really"
        - elman, model.hidden_size 100, seed 1: timed out at step 80

        3 of 12 trials have no result yet; `memsweep status` says how far they are.

        """)
    #expect(Report(try Summary(store.reader())).markdown == report.markdown)
  }

  @Test func withoutTimingsTheReportDoesNotDependOnTheMachine() throws {
    func report(seconds: Double, timings: Bool) throws -> String {
      let folder = try ScratchFolder()
      let store = try Made.store(folder)
      store.append(Made.result(0.95, stepsToTarget: 10, seconds: seconds), of: Made.trial(1))
      try store.commit()
      return Report(try Summary(store.reader()), showsTimings: timings).markdown
    }
    #expect(try report(seconds: 1, timings: false) == report(seconds: 9, timings: false))
    #expect(try report(seconds: 1, timings: true) != report(seconds: 9, timings: true))
  }

  @Test func withoutATargetThereAreNoTimesToIt() throws {
    let store = try Made.store(folder, sweep: Made.sweep(target: nil))
    try Made.fill(store)
    let report = Report(try Summary(store.reader())).markdown
    #expect(!report.contains("target"))
    #expect(!report.contains("reached"))
  }

  @Test func anEmptyStoreSaysSo() throws {
    let store = try Made.store(folder, sweep: Made.sweep(trialCount: 4))
    #expect(
      Report(try Summary(store.reader())).markdown == """
        # wtt

        `validation.accuracy` (maximize), target 0.9

        No trial has finished yet.

        4 of 4 trials have no result yet; `memsweep status` says how far they are.

        """)
  }

  @Test func summaryCountsWhatDidNotCompleteApart() throws {
    let store = try Made.store(folder)
    try Made.fill(store)
    let summary = try Summary(store.reader())
    #expect(summary.rows.map(\.method) == ["lstm", "elman", "elman"])
    #expect(summary.rows.map(\.count) == [5, 3, 1])
    #expect(summary.rows.map(\.failures) == ["", "1 diverged, 1 failed", "1 timed out"])
    let elman = summary.rows[1]
    #expect(elman.statistics(of: "validation.accuracy")?.count == 1)
    #expect(elman.statistics(of: "validation.accuracy")?.interval == nil)
    #expect(elman.stepsToTarget.count == 3)
    #expect(elman.stepsToTarget.median == nil)
    #expect(summary.rows[2].metrics.isEmpty)
    let lstm = summary.rows[0]
    #expect(lstm.metrics.map(\.name) == ["validation.accuracy", "validation.loss"])
    #expect(lstm.stepsToTarget.reachedCount == 4)
    #expect(lstm.stepsToTarget.median == 62)
    #expect(lstm.secondsToTarget.median == 1.55)
    #expect(lstm.seconds == 12.5)
    #expect(summary.failureCount == 3)
    #expect(summary.failures.map(\.seed) == [2, 3, 1])
  }

  @Test func aTrialThatDivergedBeforeTheTargetNeverReachesIt() throws {
    let store = try Made.store(folder)
    // Two reach it; had the diverged ones only been lost from sight, half would seem to by 50.
    store.append(Made.result(0.95, stepsToTarget: 40), of: Made.trial(1, seed: 1))
    store.append(Made.result(0.95, stepsToTarget: 50), of: Made.trial(2, seed: 2))
    for seed in 3...5 {
      store.append(
        Made.ended(.diverged, steps: 5, reason: "the loss is nan"),
        of: Made.trial(seed, seed: seed))
    }
    try store.commit()
    let row = try Summary(store.reader()).rows[0]
    #expect(row.stepsToTarget.median == nil)
    #expect(row.stepsToTarget.reachedCount == 2)
    #expect(row.stepsToTarget.count == 5)
  }

  @Test func dimensionsWithOneNameKeepTheirPaths() throws {
    let store = try Made.store(folder)
    let parameters = [
      TrialParameter(path: "model.size", value: .integer(1)),
      TrialParameter(path: "task.size", value: .string("a|b")),
      TrialParameter(path: "train.rate", value: .number(2)),
    ]
    store.append(Made.result(0.5), of: Made.trial(1, parameters: parameters))
    store.append(Made.result(0.5), of: Made.trial(2, method: "elman", parameters: []))
    try store.commit()
    let lines = Report(try Summary(store.reader())).markdown.split(separator: "\n")
    #expect(lines[2].hasPrefix("| method | model.size | task.size | rate | seeds |"))
    #expect(lines[4].hasPrefix("| lstm   |          1 | a\\|b      |    2 |     1 |"))
    #expect(lines[5].hasPrefix("| elman  |          - | -         |    - |     1 |"))
  }

  @Test func baselinesOfSeveralTasksAreToldApart() throws {
    let store = try Made.store(folder)
    func baseline(_ pairs: Int, _ metric: String, _ value: Double) -> TaskBaseline {
      TaskBaseline(
        task: "{\"kind\":\"associative_retrieval\",\"pairs\":\(pairs)}",
        baseline: TrivialBaseline(name: "mode", metric: metric, value: value))
    }
    try store.setBaselines([
      baseline(8, "accuracy", 0.2999), baseline(4, "accuracy", 0.3835), baseline(4, "loss", 1.5),
    ])
    #expect(
      Report(try Summary(store.reader())).markdown.hasSuffix(
        """
        - trivial predictor (mode), pairs 4: 0.3835
        - trivial predictor (mode), loss, pairs 4: 1.5000
        - trivial predictor (mode), pairs 8: 0.2999

        """))
  }

  @Test func partsOfTheTestSplitHaveTablesOfTheirOwn() throws {
    let store = try Made.store(folder)
    var result = Made.result(0.5)
    for (name, value) in [
      ("test.accuracy", 0.5), ("test.100_200.accuracy", 0.25), ("test.40_100.accuracy", 0.75),
      ("test.40_100.loss", 1.5),
    ] { result.metrics.append(MetricPoint(step: 100, name: name, value: value)) }
    store.append(result, of: Made.trial(1))
    try store.setBaselines([
      TaskBaseline(
        task: "{}",
        baseline: TrivialBaseline(
          name: "ideal", metric: "test.40_100.accuracy", value: 0.83))
    ])
    try store.commit()
    let text = Report(try Summary(store.reader())).markdown
    let heads = text.split(separator: "\n").filter { $0.contains("test.") && $0.hasPrefix("|") }
    #expect(heads.count == 3)
    #expect(heads[0].contains("| test.accuracy |"))
    #expect(heads[1].contains("| test.40_100.accuracy |"))
    #expect(heads[1].contains("| test.40_100.loss |"))
    #expect(heads[2].contains("| test.100_200.accuracy |"))
    #expect(text.contains("- ideal predictor, test.40_100.accuracy: 0.8300\n"))
  }

  @Test func onlyTheFirstFailuresAreListed() throws {
    let store = try Made.store(folder)
    for seed in 1...13 {
      store.append(
        Made.ended(.failed, steps: 0, reason: "no\nroom"), of: Made.trial(seed, seed: seed))
    }
    try store.commit()
    let report = Report(try Summary(store.reader())).markdown
    #expect(
      report.contains("- lstm, model.hidden_size 50, seed 10: failed at step 0: no room\n- and 3"))
    #expect(!report.contains("seed 11"))
  }

  @Test func numbersHaveSensibleDigits() {
    let expected: [(Double, String)] = [
      (0.38349, "0.3835"), (0, "0.0000"), (-1.5, "-1.5000"), (12.34567, "12.346"),
      (123.456, "123.46"), (12345.67, "12345.7"), (0.000123, "1.23e-04"), (2.5e9, "2.500e+09"),
      (.nan, "-"), (.infinity, "-"),
    ]
    for (number, text) in expected { #expect(NumberText.metric(number) == text) }
    #expect(
      [0.4249, 9.5, 12.34, 4567.8].map(NumberText.seconds) == ["0.42", "9.50", "12.3", "4568"])
    let values: [OptionValue] = [.number(2), .number(1e-5), .integer(7), .list([.integer(1)])]
    #expect(values.map(NumberText.value) == ["2", "1e-05", "7", "1"])
  }

  @Test func statusTellsWhereTheSweepStands() throws {
    let store = try Made.store(folder, sweep: Made.sweep(trialCount: 12))
    try Made.fill(store)
    let status = try StoreStatus(store.reader())
    #expect(status.finishedCount == 9)
    #expect(status.best?.seed == 5)
    #expect(status.bestValue == 0.99)
    #expect(
      status.text == """
        wtt: 9 of 12 trials finished (6 complete, 1 diverged, 1 failed, 1 timed out)
        best validation.accuracy: 0.9900 (lstm, model.hidden_size 50, seed 5)
        last result: 2023-11-14 22:13:22 UTC
        core-seconds: 18.0

        | method | finished | complete | core-s a trial |
        |--------|---------:|---------:|---------------:|
        | lstm   |        5 |        5 |           2.50 |
        | elman  |        4 |        1 |           1.38 |

        slowest:
          2.50 s: lstm, model.hidden_size 50, seed 1
          2.50 s: lstm, model.hidden_size 50, seed 2
          2.50 s: lstm, model.hidden_size 50, seed 3

        """)
    func trial(_ number: Int) -> String {
      "{\"identity\":\"\(Made.identity(number))\",\"method\":\"lstm\","
        + "\"parameters\":{\"model.hidden_size\":50},\"seed\":\(number + 1),\"seconds\":2.5"
    }
    #expect(
      status.json == """
        {"sweep":"wtt","trials":12,"finished":9,"statuses":{"complete":6,"diverged":1,"failed":1,\
        "timed_out":1},"metric":"validation.accuracy","best":\(trial(4)),"value":0.99},"methods":[\
        {"name":"lstm","finished":5,"complete":5,"mean_seconds":2.5},\
        {"name":"elman","finished":4,"complete":1,"mean_seconds":1.375}],\
        "slowest":[\(trial(0))},\(trial(1))},\(trial(2))}],\
        "last_finished_at":1700000002.75,"seconds":18.0,"earlier":0,"unfinished":[]}
        """)
  }

  @Test func bestOfAMinimizedMetricIsTheSmallest() throws {
    var sweep = Made.sweep()
    sweep.metric = MetricGoal(name: "validation.loss", direction: .minimize)
    let store = try Made.store(folder, sweep: sweep)
    try Made.fill(store)
    #expect(try StoreStatus(store.reader()).best?.seed == 5)
    sweep.metric.direction = .maximize
    let otherFolder = try ScratchFolder()
    let other = try Made.store(otherFolder, sweep: sweep)
    try Made.fill(other)
    #expect(try StoreStatus(other.reader()).best?.method == "elman")
  }
}
