import Foundation
import GRDB
import MemoryNets
import Sweeps
import Testing

@Suite struct ResultStoreTests {
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  @Test func everythingComesBackAsItWasAppended() throws {
    let trial = Made.trial(
      7,
      parameters: [
        TrialParameter(path: "model.cell", value: .string("a \"b\" \\ \n \u{1} é")),
        TrialParameter(
          path: "train.rates", value: .list([.integer(1), .number(1), .number(1e-7)])),
        TrialParameter(path: "model.shared", value: .boolean(true)),
      ], seed: -3)
    var result = Made.result(0.1 + 0.2, stepsToTarget: 50, seconds: 0.1)
    result.attempt = 4
    result.reason = "kept, once"
    do {
      let store = try Made.store(folder)
      store.append(result, of: trial)
      try store.commit()
    }
    let reader = try ResultReader(directory: folder.path)
    var read: [StoredTrial] = []
    try reader.forEachTrial { read.append($0) }
    #expect(try reader.history(of: trial.identity) == result.history)
    result.history = []
    #expect(
      read == [
        StoredTrial(
          identity: trial.identity, method: "lstm", parameters: trial.parameters, seed: -3,
          result: result)
      ])
    #expect(try reader.verify() == [])
    #expect(try reader.sweep() == Made.sweep())
  }

  @Test func numbersThatSQLiteCannotHoldAreTakenForAbsent() throws {
    let store = try Made.store(folder)
    var result = Made.result(0.5)
    result.history = []
    result.metrics = [
      MetricPoint(step: 9, name: "d", value: -0.0),
      MetricPoint(step: 9, name: "c", value: .infinity),
      MetricPoint(step: 9, name: "b", value: .nan),
      MetricPoint(step: 9, name: "a", value: .leastNonzeroMagnitude),
      MetricPoint(step: 8, name: "a", value: 1),
    ]
    store.append(result, of: Made.trial(1))
    try store.commit()
    var read: [MetricPoint] = []
    try store.reader().forEachTrial { read = $0.result.metrics }
    #expect(read.map(\.name) == ["a", "b", "c", "d"])
    #expect(read[0].value == 1, "the last of two values of one name")
    #expect(read[1].value.isNaN)
    #expect(read[2].value == .infinity)
    #expect(read[3].value == 0)
    #expect(try store.verify() == [])
  }

  @Test func crashesOfEarlierRunsAreCountedWhenTheStoreIsOpenedAgain() throws {
    let identity = Made.identity(3)
    do {
      let store = try Made.store(folder)
      for kind in ["crashed", "crashed", "lease_expired", "leased"] {
        store.append(SweepEvent(time: 1, kind: kind, identity: identity))
      }
      try store.commit()
      #expect(store.eventCounts(of: "crashed") == [:], "of earlier runs only")
    }
    let again = try Made.store(folder)
    #expect(again.eventCounts(of: "crashed") == [identity: 2])
    #expect(again.eventCounts(of: "lease_expired") == [identity: 1])
  }

  @Test func statusIsKnownBeforeTheCommitAndAfterOpeningAgain() throws {
    var store = try Made.store(folder)
    #expect(store.status(of: Made.identity(11)) == nil)
    try Made.fill(store)
    store.append(Made.result(0.7), of: Made.trial(20))
    #expect(store.status(of: Made.identity(20)) == .complete)
    try store.close()
    store = try Made.store(folder)
    #expect(store.count == 10)
    #expect(store.status(of: Made.identity(0)) == .complete)
    #expect(store.status(of: Made.identity(11)) == .diverged)
    #expect(store.status(of: Made.identity(12)) == .failed)
    #expect(store.status(of: Made.identity(13)) == .timedOut)
    #expect(store.status(of: Made.identity(20)) == .complete)
    #expect(store.status(of: Made.identity(21)) == nil)
  }

  @Test func theFirstResultOfATrialStays() throws {
    let store = try Made.store(folder)
    store.append(Made.result(0.25), of: Made.trial(1))
    try store.commit()
    store.append(Made.result(0.75), of: Made.trial(1))
    try store.commit()
    var values: [Double?] = []
    try store.reader().forEachTrial { values.append($0.value(of: "validation.accuracy")) }
    #expect(values == [0.25])
  }

  @Test func closingLeavesOnePlainFile() throws {
    let store = try Made.store(folder)
    try Made.fill(store)
    #expect(FileManager.default.fileExists(atPath: folder.file("results.sqlite-wal")))
    try store.close()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["results.sqlite"])
  }

  @Test func openingTheSameSweepAgainChangesNothing() throws {
    var store = try Made.store(folder)
    try Made.fill(store)
    try store.close()
    let before = try Made.export(try ResultReader(directory: folder.path), timings: true)
    store = try Made.store(folder)
    for number in 0..<5 { store.adopt(Made.trial(number, seed: number + 1)) }
    try store.setBaselines(try store.reader().baselines())
    try store.close()
    let reader = try ResultReader(directory: folder.path)
    #expect(try Made.export(reader, timings: true) == before)
    #expect(try reader.earlierCount() == 0)
  }

  @Test func anExtendedSweepShowsWhatItAdoptsUnderItsNewNames() throws {
    var store = try Made.store(folder)
    try Made.fill(store)
    try store.close()
    store = try Made.store(
      folder, sweep: Made.sweep(fingerprint: "two", methods: ["renamed"]))
    #expect(try store.reader().earlierCount() == 9)
    store.adopt(Made.trial(3, method: "renamed", parameters: [Made.rate(0.5)], seed: 4))
    store.adopt(Made.trial(99))
    store.append(Made.result(0.3), of: Made.trial(50, method: "renamed", parameters: []))
    try store.commit()
    var read: [StoredTrial] = []
    try store.reader().forEachTrial { read.append($0) }
    #expect(read.map(\.method) == ["renamed", "renamed"])
    #expect(read.map(\.seed) == [1, 4])
    #expect(read[1].parameters == [Made.rate(0.5)])
    #expect(store.status(of: Made.identity(0)) == .complete, "nothing is lost")
    #expect(store.status(of: Made.identity(99)) == nil)
    #expect(try store.reader().earlierCount() == 8)
    #expect(try store.verify() == [])
  }

  @Test func anotherNumericContractSetsEarlierResultsAside() throws {
    var store = try Made.store(folder)
    try Made.fill(store)
    try store.close()
    var sweep = Made.sweep()
    sweep.numericContract = "engine 2, float, avx2"
    store = try Made.store(folder, sweep: sweep)
    #expect(try store.reader().earlierCount() == 9)
    #expect(try store.reader().sweep().createdWith == "memsweep 1")
  }

  @Test func aChangedTargetIsLookedForInTheHistory() throws {
    var store = try Made.store(folder)
    try Made.fill(store)
    try store.close()
    func steps(_ direction: MetricGoal.Direction, _ target: Double?) throws -> [Int?] {
      var sweep = Made.sweep()
      sweep.metric.direction = direction
      sweep.metric.target = target
      store = try Made.store(folder, sweep: sweep)
      var steps: [Int?] = []
      try store.reader().forEachTrial {
        if $0.method == "lstm" { steps.append($0.result.stepsToTarget) }
        let isMeasured = direction == .maximize && target == 0.9
        #expect(isMeasured || $0.result.secondsToTarget == nil)
      }
      return steps
    }
    #expect(try steps(.maximize, 0.9) == [60, 61, 62, nil, 64])
    // Evaluated at step 50 with half of the last value.
    #expect(try steps(.maximize, 0.46) == [100, 50, 50, 100, 50])
    #expect(try steps(.minimize, 0.9) == [50, 50, 50, 50, 50])
    #expect(try steps(.maximize, nil) == [nil, nil, nil, nil, nil])
    #expect(try steps(.maximize, 0.9) == [60, 61, 62, nil, 64], "what was measured is kept")
  }

  @Test func trialsComeInTheOrderOfMethodsParametersAndSeeds() throws {
    let store = try Made.store(folder)
    let labels: [(String, Int, Int)] = [
      ("zeta2", 1, 1), ("elman", 100, 2), ("lstm", 9, 10), ("zeta10", 1, 1), ("lstm", 50, 1),
      ("lstm", 9, 2), ("elman", 20, 2),
    ]
    for (number, label) in labels.enumerated() {
      store.append(
        Made.result(0.5),
        of: Made.trial(
          number, method: label.0, parameters: [Made.hidden(label.1)], seed: label.2))
    }
    try store.commit()
    var read: [String] = []
    try store.reader().forEachTrial { read.append($0.label) }
    #expect(
      read.map { $0.replacing(", model.hidden_size", with: "").replacing(", seed", with: "") } == [
        "lstm 9 2", "lstm 9 10", "lstm 50 1", "elman 20 2", "elman 100 2", "zeta2 1 1",
        "zeta10 1 1",
      ])
  }

  @Test func readersSeeCommittedResultsWhileTheWriterGoesOn() throws {
    let store = try Made.store(folder)
    store.append(Made.result(0.1), of: Made.trial(1))
    try store.commit()
    let reader = try ResultReader(directory: folder.path)
    store.append(Made.result(0.2), of: Made.trial(2))
    func count() throws -> Int {
      var count = 0
      try reader.forEachTrial { _ in count += 1 }
      return count
    }
    #expect(try count() == 1)
    try store.commit()
    #expect(try count() == 2)
  }

  @Test func aSecondWriterAddsToTheFirstOrIsRefused() throws {
    let store = try Made.store(folder)
    let other = try Made.store(folder)
    store.append(Made.result(0.1), of: Made.trial(1))
    other.append(Made.result(0.2), of: Made.trial(1))
    try store.commit()
    #expect(throws: StoreError.self) { try other.commit() }
    #expect(try store.verify() == [])
    var values: [Double?] = []
    try store.reader().forEachTrial { values.append($0.value(of: "validation.accuracy")) }
    #expect(values == [0.1])
  }

  @Test func aFailedCommitIsTriedAgainByTheNext() throws {
    let store = try Made.store(folder)
    let other = try DatabaseQueue(path: store.path)
    try other.write {
      try $0.execute(
        sql: """
          CREATE TRIGGER full BEFORE INSERT ON metrics WHEN NEW.name = 'validation.loss'
          BEGIN SELECT RAISE(ABORT, 'no room'); END
          """)
    }
    store.append(Made.result(0.1), of: Made.trial(1))
    #expect(throws: StoreError.self) { try store.commit() }
    let reader = try ResultReader(directory: folder.path)
    var count = 0
    try reader.forEachTrial { _ in count += 1 }
    #expect(count == 0, "nothing of a commit that failed")
    try other.write { try $0.execute(sql: "DROP TRIGGER full") }
    try store.commit()
    try reader.forEachTrial { _ in count += 1 }
    #expect(count == 1)
  }

  @Test func journalSuitsTheFileSystem() {
    let mounts = """
      /dev/sda1 / ext4 rw 0 0
      server:/export /data\\040sets nfs4 rw 0 0
      tmpfs /data\\040sets/local tmpfs rw 0 0
      scratch /scratch lustre rw 0 0
      """
    #expect(JournalMode.suiting("/data/results.sqlite", mounts: mounts) == .wal)
    #expect(JournalMode.suiting("/data sets/a/results.sqlite", mounts: mounts) == .truncate)
    #expect(JournalMode.suiting("/data sets/local/results.sqlite", mounts: mounts) == .wal)
    #expect(JournalMode.suiting("/scratch/results.sqlite", mounts: mounts) == .truncate)
    #expect(JournalMode.suiting("/scratching/results.sqlite", mounts: mounts) == .wal)
  }

  @Test func verifyNamesWhatDoesNotHold() throws {
    let store = try Made.store(folder)
    try Made.fill(store)
    try store.close()
    func problems(_ sql: String) throws -> [String] {
      let copy = try ScratchFolder()
      try folder.copyStore(to: copy)
      var configuration = Configuration()
      configuration.foreignKeysEnabled = false
      let queue = try DatabaseQueue(
        path: copy.file(StoreFile.name), configuration: configuration)
      try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
      try queue.close()
      return try ResultReader(directory: copy.path).verify()
    }
    #expect(
      try problems("DELETE FROM results WHERE trial = 2") == [
        """
        trials without a result: 2
        """, "metrics without a result: 2", "evaluations without a result: 2",
      ])
    #expect(try problems("DELETE FROM trials WHERE key = 3") == ["results without a trial: 3"])
    #expect(
      try problems("UPDATE metrics SET value = 0.5 WHERE trial = 1 AND name LIKE '%loss'") == [
        "metrics that are not the last evaluation of their name and step: 1"
      ])
    #expect(
      try problems("UPDATE metrics SET value = 0.5, step = 99 WHERE trial = 1")
        == ["result 1 is not what was written"])
    #expect(
      try problems("UPDATE evaluations SET value = 0.5 WHERE trial = 1 AND position = 0") == [
        "the history of trial 1 is not what was written"
      ])
    #expect(
      try problems("UPDATE trials SET seed = 9 WHERE key = 4") == [
        "trial 4 is not what was written"
      ])
    #expect(
      try problems("UPDATE results SET reason = NULL WHERE status = 'diverged'") == [
        "failed or diverged results without a reason: 7"
      ])
    #expect(
      try problems("UPDATE results SET steps_to_target = 101 WHERE trial = 1") == [
        "results that reached the target after their end: 1"
      ])
    #expect(
      try problems("UPDATE trials SET generation = 2 WHERE key = 1") == [
        "trials of a later generation than the sweep's: 1"
      ])
    #expect(
      try problems("PRAGMA ignore_check_constraints = ON; UPDATE results SET status = 'running'")
        != [])
  }
}
