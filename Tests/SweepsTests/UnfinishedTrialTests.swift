import Foundation
import MemoryNets
import Sweeps
import Testing

/// Trials that were stopped, as their checkpoints and a store without their results show them.
@Suite struct UnfinishedTrialTests {
  let folder: ScratchFolder
  let store: ResultStore

  init() throws {
    folder = try ScratchFolder()
    var sweep = Made.sweep(methods: ["line", "other"], trialCount: 3)
    sweep.metric = MetricGoal(name: "validation.loss", direction: .minimize)
    store = try Made.store(folder, sweep: sweep)
    try store.commit()
  }

  private var checkpoints: URL { URL(fileURLWithPath: folder.file("checkpoints")) }

  private func trial(seed: Int) -> Trial {
    TrainingRunnerTests.trial(seed: seed, train: ["steps": .integer(12)])
  }

  /// Trains until `calls` words between steps have been asked for; a checkpoint is written at the
  /// sixth and at the end.
  private func run(_ trial: Trial, calls: Int = .max) throws -> TrialResult? {
    var count = 0
    let outcome = TrainingRunnerTests.runner(checkpoints).run(trial, attempt: 1) { _ in
      count += 1
      return count == 6 ? .checkpoint : count == calls ? .stop : .proceed
    }
    if case .finished(let result) = outcome { return result }
    return nil
  }

  private func all() throws -> [UnfinishedTrial] {
    try UnfinishedTrial.all(in: folder.path, store.reader())
  }

  @Test func aStoppedTrialSaysHowFarItIs() throws {
    #expect(try all().isEmpty)
    for seed in [12, 2] { #expect(try run(trial(seed: seed), calls: 12) == nil) }
    let unfinished = try all()
    #expect(unfinished.map(\.seed) == [2, 12])
    let first = try #require(unfinished.first)
    // Two evaluations took a word each.
    #expect((first.step, first.totalSteps) == (9, 12))
    #expect(first.configuration == trial(seed: 2).configuration)
    #expect((first.method, first.parameters) == ("line", []))
    #expect(first.seconds == 11)
    #expect(first.history.filter { $0.name == "validation.loss" }.map(\.step) == [4, 8])
    #expect(first.values.count == 2 && first.bestValue == first.values.min())
  }

  @Test func aFinishedTrialIsNotAmongThemAndTheCurveIsTheSame() throws {
    #expect(try run(trial(seed: 1), calls: 12) == nil)
    let early = try all()
    let result = try #require(try run(trial(seed: 1)))
    #expect(early[0].history == Array(result.history.prefix(early[0].history.count)))
    store.append(result, of: trial(seed: 1))
    try store.commit()
    #expect(try all().isEmpty)
    // One that has ended since it was looked at is exported once, with its result.
    let csv = try curves(.csv, early)
    #expect(csv.contains(",complete,12,validation.loss,") && !csv.contains("unfinished"))
  }

  @Test func aDamagedCheckpointGivesWayToTheOneBefore() throws {
    let trial = trial(seed: 3)
    #expect(try run(trial, calls: 12) == nil)
    let name = "checkpoints/\(trial.identity)/step-9.ckpt"
    try folder.write(Array(try folder.bytes(name).dropLast()), to: name)
    #expect(try all().map(\.step) == [4])
    try FileManager.default.removeItem(
      atPath: folder.file("checkpoints/\(trial.identity)/step-4.ckpt"))
    #expect(try all().isEmpty)
  }

  @Test func statusShowsThem() throws {
    #expect(try run(trial(seed: 7), calls: 12) == nil)
    let status = try StoreStatus(store.reader(), unfinished: try all())
    let values = try #require(try all().first).values
    let row =
      "| line, seed 7     | 9 of 12 |          \(NumberText.metric(values[1])) | "
      + "\(NumberText.metric(values.min())) |   11.0 | 20"
    #expect(status.text.contains(row), "\(status.text)")
    #expect(status.text.hasPrefix("wtt: 0 of 3 trials finished\n\n| without a result |"))
    #expect(
      status.json.contains(
        "\"unfinished\":[{\"identity\":\"\(trial(seed: 7).identity)\",\"method\":\"line\","
          + "\"parameters\":{},\"seed\":7,\"steps\":9,\"total_steps\":12,\"value\":"))
  }

  @Test func curvesOfFinishedAndUnfinishedTrialsAreExported() throws {
    let done = Made.trial(1)
    store.append(Made.result(0.5), of: done)
    try store.commit()
    #expect(try run(trial(seed: 7), calls: 7) == nil)
    let unfinished = try all()
    let open = try #require(unfinished.first)
    let values = Dictionary(uniqueKeysWithValues: open.history.map { ($0.name, $0.value) })
    let (training, validation) = (values["train.loss"] ?? 0, values["validation.loss"] ?? 0)
    #expect(
      try curves(.csv, unfinished) == """
        identity,method,model.hidden_size,seed,status,step,metric,value
        \(done.identity),lstm,50,1,complete,50,validation.accuracy,0.25
        \(done.identity),lstm,50,1,complete,50,validation.loss,2.0
        \(done.identity),lstm,50,1,complete,100,validation.accuracy,0.5
        \(done.identity),lstm,50,1,complete,100,validation.loss,0.5
        \(open.identity),line,,7,unfinished,4,train.loss,\(training)
        \(open.identity),line,,7,unfinished,4,validation.loss,\(validation)

        """)
    let json = try curves(.json, unfinished)
    #expect(
      json.hasPrefix(
        "{\"sweep\":\"wtt\",\"trials\":[\n{\"identity\":\"\(done.identity)\",\"method\":\"lstm\","
          + "\"parameters\":{\"model.hidden_size\":50},\"seed\":1,\"status\":\"complete\","
          + "\"evaluations\":[{\"step\":50,\"name\":\"validation.accuracy\",\"value\":0.25},"))
    #expect(
      json.hasSuffix(
        "{\"step\":4,\"name\":\"validation.loss\",\"value\":\(validation)}]}\n]}\n"))
  }

  private func curves(
    _ format: ExportFormat, _ unfinished: [UnfinishedTrial]
  ) throws -> String {
    var text = ""
    try store.reader().exportCurves(format, unfinished: unfinished) { text += $0 }
    return text
  }
}
