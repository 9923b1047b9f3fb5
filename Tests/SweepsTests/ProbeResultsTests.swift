import Foundation
import MemoryNets
import Sweeps
import Testing

@Suite struct ProbeResultsTests {
  @Test func numbersStandBesideTheResultsAndReplaceEarlierOnes() throws {
    let folder = try ScratchFolder()
    let store = try Made.store(folder)
    try Made.fill(store)
    try store.close()
    let before = try Made.export(try ResultReader(directory: folder.path), timings: true)
    let identity = Made.identity(1)
    for numbers in [
      [("probe.memory_capacity", 3.0), ("probe.old", 1.0)],
      [("probe.memory_capacity", 7.5), ("probe.retention_length", 4.0)],
    ] {
      try ProbeResults.store(
        numbers.map { (name: $0.0, value: $0.1) }, of: identity, in: folder.path)
    }
    let reader = try ResultReader(directory: folder.path)
    #expect(
      try reader.metricNames() == [
        "probe.memory_capacity", "probe.retention_length", "validation.accuracy",
        "validation.loss",
      ])
    let trials = try reader.completeTrials()
    #expect(trials.count == 6)
    let probed = try #require(trials.first { $0.identity == identity })
    #expect(probed.value(of: "probe.memory_capacity") == 7.5)
    #expect(probed.value(of: "validation.accuracy") == 0.95)
    #expect(trials.count { $0.value(of: "probe.memory_capacity") != nil } == 1)
    // Nothing else has changed: without them the store says what it said.
    try ProbeResults.store([], of: identity, in: folder.path)
    #expect(
      try Made.export(try ResultReader(directory: folder.path), timings: true) == before)
  }

  @Test func theReportHasATableOfMeasures() throws {
    let folder = try ScratchFolder()
    let store = try Made.store(folder)
    try Made.fill(store)
    try store.close()
    func report() throws -> String {
      Report(try Summary(try ResultReader(directory: folder.path))).markdown
    }
    #expect(try !report().contains("Measures of memory"))
    for (number, value) in [(0, 2.0), (1, 4.0)] {
      try ProbeResults.store(
        [(name: "probe.memory_capacity", value: value)], of: Made.identity(number),
        in: folder.path)
    }
    let text = try report()
    #expect(text.contains("Measures of memory, means over seeds:"))
    #expect(text.contains("| memory_capacity |"))
    #expect(text.contains("|          3.0000 |"))
  }

  @Test func anUnknownTrialIsAnError() throws {
    let folder = try ScratchFolder()
    let store = try Made.store(folder)
    try Made.fill(store)
    try store.close()
    #expect(throws: StoreError.self) {
      try ProbeResults.store([], of: Made.identity(999), in: folder.path)
    }
  }

  @Test func theConfigurationOfATrialIsReadBack() throws {
    let folder = try ScratchFolder()
    let trial = Made.trial(1)
    let store = try ResultStore(directory: folder.path, sweep: Made.sweep()) { $0.canonicalJSON }
    store.append(Made.result(0.5), of: trial)
    try store.close()
    let reader = try ResultReader(directory: folder.path)
    #expect(try reader.configuration(of: trial.identity) == trial.configuration)
    #expect(try reader.configuration(of: Made.identity(2)) == nil)
  }
}
