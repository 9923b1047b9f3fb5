import MemoryNets
import Sweeps
import Testing

@Suite struct ExportTests {
  let folder: ScratchFolder
  let store: ResultStore

  init() throws {
    folder = try ScratchFolder()
    store = try Made.store(folder)
  }

  private func identity(_ number: Int) -> String { Made.identity(number).description }

  @Test func csvIsWhatTheTrialsDetermine() throws {
    try Made.fill(store)
    let common = ",1234,100"
    #expect(
      try Made.export(store.reader()) == """
        identity,method,model.hidden_size,seed,status,steps,validation.accuracy,validation.loss,\
        steps_to_target,reason,parameter_count,state_size
        \(identity(0)),lstm,50,1,complete,100,0.91,0.08999999999999997,60,\(common)
        \(identity(1)),lstm,50,2,complete,100,0.95,0.050000000000000044,61,\(common)
        \(identity(2)),lstm,50,3,complete,100,0.97,0.030000000000000027,62,\(common)
        \(identity(3)),lstm,50,4,complete,100,0.88,0.12,,\(common)
        \(identity(4)),lstm,50,5,complete,100,0.99,0.010000000000000009,64,\(common)
        \(identity(10)),elman,8,1,complete,100,0.5,0.5,,\(common)
        \(identity(11)),elman,8,2,diverged,17,,,,the loss is nan\(common)
        \(identity(12)),elman,8,3,failed,3,,,,"out of memory, ""really""\"\(common)
        \(identity(13)),elman,100,1,timed_out,80,,,,\(common)

        """)
  }

  @Test func timingsComeOnlyWhenAskedFor() throws {
    store.append(Made.result(0.5, stepsToTarget: 50), of: Made.trial(1))
    try store.commit()
    let lines = try Made.export(store.reader(), timings: true).split(separator: "\n")
    #expect(
      lines[0].hasSuffix(
        ",state_size,seconds,seconds_to_target,started_at,finished_at,host,rank,attempt"))
    #expect(lines[1].hasSuffix(",2.5,1.25,1700000000.25,1700000002.75,node-1,3,1"))
    let json = try Made.export(store.reader(), .json, timings: true)
    #expect(
      json.contains("\"seconds\":2.5,\"seconds_to_target\":1.25,\"started_at\":1700000000.25"))
    #expect(json.contains("\"host\":\"node-1\",\"rank\":3,\"attempt\":1}"))
    #expect(try !Made.export(store.reader(), .json).contains("node-1"))
  }

  @Test func jsonIsOneValueWithATrialALine() throws {
    var result = Made.result(1e-7)
    result.metrics = [
      MetricPoint(step: 1, name: "a", value: .nan), MetricPoint(step: 1, name: "b", value: 1e-7),
      MetricPoint(step: 1, name: "c", value: .infinity), MetricPoint(step: 1, name: "d", value: 2),
    ]
    store.append(result, of: Made.trial(1, parameters: [Made.rate(0.001), Made.hidden(5)]))
    store.append(
      Made.ended(.diverged, steps: 4, reason: "loss is \"nan\""),
      of: Made.trial(2, method: "elman", parameters: []))
    try store.commit()
    #expect(
      try Made.export(store.reader(), .json) == """
        {"sweep":"wtt","trials":[
        {"identity":"\(identity(1))","method":"lstm","parameters":{"train.learning_rate":0.001,\
        "model.hidden_size":5},"seed":1,"status":"complete","steps":100,"metrics":{"a":null,\
        "b":1e-07,"c":null,"d":2.0},"steps_to_target":null,"reason":null,"parameter_count":1234,\
        "state_size":100},
        {"identity":"\(identity(2))","method":"elman","parameters":{},"seed":1,\
        "status":"diverged","steps":4,"metrics":{},"steps_to_target":null,\
        "reason":"loss is \\"nan\\"","parameter_count":1234,"state_size":100}
        ]}

        """)
  }

  @Test func theOrderOfCompletionLeavesNoTrace() throws {
    try Made.fill(store)
    let otherFolder = try ScratchFolder()
    let other = try Made.store(otherFolder)
    var trials: [StoredTrial] = []
    try store.reader().forEachTrial { trials.append($0) }
    for trial in trials.reversed() {
      var result = trial.result
      result.rank += 1
      result.seconds *= 2
      result.attempt = 2
      let again = Trial(
        identity: trial.identity, method: trial.method, parameters: trial.parameters,
        configuration: TrialConfiguration(
          task: [:], model: [:], train: [:], seed: trial.seed, metric: Made.goal))
      other.append(result, of: again)
      try other.commit()
    }
    for format in ExportFormat.allCases {
      #expect(
        try Made.export(other.reader(), format) == Made.export(store.reader(), format))
      #expect(
        try Made.export(other.reader(), format, timings: true)
          != Made.export(store.reader(), format, timings: true))
    }
  }

  @Test func anEmptySweepExportsItsColumnsAlone() throws {
    #expect(
      try Made.export(store.reader()) == """
        identity,method,seed,status,steps,steps_to_target,reason,parameter_count,state_size

        """)
    #expect(try Made.export(store.reader(), .json) == "{\"sweep\":\"wtt\",\"trials\":[\n]}\n")
  }

  @Test func csvQuotesWhatNeedsIt() throws {
    let values: [OptionValue] = [
      .string("plain"), .string("a,b"), .string("a \"b\""), .string("two\nlines"),
      .list([.integer(1), .number(2)]), .boolean(false), .number(1e-5),
    ]
    let parameters = values.enumerated().map { TrialParameter(path: "p\($0)", value: $1) }
    store.append(
      Made.ended(.timedOut, steps: 1, reason: nil), of: Made.trial(1, parameters: parameters))
    try store.commit()
    #expect(
      try Made.export(store.reader()).contains(
        """
        ,lstm,plain,"a,b","a ""b""\","two
        lines","[1,2.0]",false,1e-05,1,timed_out,1,
        """))
  }
}
