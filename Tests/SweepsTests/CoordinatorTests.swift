import MPI
import MemoryNets
import Sweeps
import Testing

@Suite struct CoordinatorTests {
  // MARK: - Handing out

  @Test func workersGetNothingBeforeTheyHaveSpoken() {
    let bench = CoordinatorBench()
    bench.tick()
    #expect(bench.sent.isEmpty)
    bench.beat(2)
    bench.tick()
    #expect(bench.trial(2) == 0 && bench.given[1] == nil)
  }

  @Test func longTrialsAreGivenOneAtATime() {
    let bench = CoordinatorBench(trials: 5)
    bench.beat(1)
    bench.beat(2)
    bench.tick()
    bench.end(1, bench.lease(1), .finished(completeResult()), elapsed: 2)
    bench.tick()
    #expect(bench.given[1]?.map(\.trial.seed) == [0, 2])
    #expect(bench.given[2]?.map(\.trial.seed) == [1])
    #expect(bench.keep[1]?.count == 1)
  }

  @Test func shortTrialsAreQueuedUpToTheTimeAndTheLimit() {
    for (elapsed, depth) in [(0.0051, 9), (1e-6, 20)] {
      let bench = CoordinatorBench(trials: 500) { $0.queueLimit = 20 }
      bench.beat(1)
      bench.tick()
      bench.end(1, bench.lease(1), .finished(completeResult()), elapsed: elapsed)
      bench.tick()
      #expect(bench.keep[1]?.count == depth)
    }
  }

  @Test func allFinishedEndsInCompleteWithAllWorkersTogether() {
    let bench = CoordinatorBench(trials: 1)
    bench.beat(1)
    bench.beat(2)
    bench.tick()
    bench.end(1, bench.lease(1), .finished(completeResult()))
    bench.tick()
    #expect(bench.sent.contains { if case (.stop, to: 1) = $0 { true } else { false } })
    for rank in [1, 2] { bench.coordinator.receive(.left, from: rank, now: bench.now) }
    bench.tick()
    #expect(bench.coordinator.phase == .ended(.complete))
    #expect(bench.coordinator.isTogether)
    #expect(
      bench.sent.contains { if case (.goodbye(true), to: 2) = $0 { true } else { false } })
    #expect(bench.sink.durable.count == 1)
  }

  @Test func knownResultsAreAdoptedNotRun() {
    let sink = MemorySink()
    sink.append(completeResult(), of: numberedTrial(0))
    try? sink.commit()
    let bench = CoordinatorBench(trials: 2, workers: 1, sink: sink)
    bench.beat(1)
    bench.tick()
    #expect(bench.given[1]?.map(\.trial.seed) == [1])
    #expect(sink.adopted.map(\.seed) == [0])
    bench.tick(after: 0.1)
    #expect(bench.coordinator.status.done == 1 && bench.coordinator.status.finishedHere == 0)
  }

  @Test func theSameTrialUnderTwoMethodsRunsOnce() {
    let bench = CoordinatorBench(
      workers: 2, source: [numberedTrial(0), numberedTrial(0, method: "gru"), numberedTrial(1)])
    bench.beat(1)
    bench.beat(2)
    bench.tick()
    #expect(bench.trial(1) == 0 && bench.trial(2) == 1)
    bench.end(1, bench.lease(1), .finished(completeResult()))
    bench.tick(after: 1)
    #expect(bench.sink.adopted.map(\.method) == ["gru"])
    #expect(bench.coordinator.status.done == 2)
  }

  // MARK: - Lost messages

  @Test func aLostAssignmentIsSentAgainUnderTheSameLease() {
    let bench = CoordinatorBench(workers: 1)
    bench.beat(1)
    bench.tick()
    let lease = bench.lease(1)
    bench.beat(1, holding: [], seen: 0)
    bench.tick()
    #expect(bench.given[1]?.count == 1, "it may still be on its way")
    bench.tick(after: 1)
    bench.beat(1, holding: [], seen: 0)
    bench.tick()
    #expect(bench.given[1]?.map(\.lease) == [lease, lease])
  }

  @Test func anAssignmentThatWasOvertakenIsSentAtOnce() {
    let bench = CoordinatorBench(workers: 1)
    bench.beat(1)
    bench.tick()
    let lease = bench.lease(1)
    bench.beat(1)
    bench.tick()
    #expect(bench.version[1] == 2)
    bench.beat(1, holding: [], seen: 2)
    bench.tick()
    #expect(bench.given[1]?.map(\.lease) == [lease, lease])
  }

  @Test func aRepeatedOutcomeCountsOnce() {
    let bench = CoordinatorBench(workers: 1)
    bench.beat(1)
    bench.tick()
    let lease = bench.lease(1)
    for _ in 0..<3 { bench.end(1, lease, .finished(completeResult())) }
    bench.tick(after: 1)
    #expect(bench.coordinator.status.done == 1)
    #expect(bench.sink.duplicates.isEmpty)
  }

  // MARK: - Silence

  @Test func aSilentWorkersTrialGoesElsewhere() {
    let bench = CoordinatorBench(trials: 2)
    for rank in [1, 2] { bench.beat(rank) }
    bench.tick()
    for _ in 0..<31 {
      bench.beat(2)
      bench.tick(after: 1)
    }
    #expect(bench.sink.eventKinds().contains("worker_lost"))
    bench.end(2, bench.lease(2), .finished(completeResult()))
    bench.tick()
    #expect(bench.trial(2) == 0)
    #expect(bench.given[2]?.last?.attempt == 2)
  }

  @Test func aLateResultCountsWhileTheTrialIsOpenAndOnlyOnce() {
    let bench = CoordinatorBench(trials: 3) { $0.silenceSeconds = 5 }
    for rank in [1, 2] { bench.beat(rank) }
    bench.tick()
    let first = bench.lease(1)
    for _ in 0..<6 {
      bench.beat(2)
      bench.tick(after: 1)
    }
    bench.end(2, bench.lease(2), .finished(completeResult()))
    bench.tick()
    let second = bench.lease(2)
    #expect(bench.trial(2) == 0)
    bench.end(1, first, .finished(completeResult(accuracy: 0.75)))
    bench.tick()
    #expect(bench.keep[2]?.contains(second) == false, "the second worker's lease is over")
    bench.end(2, second, .finished(completeResult(accuracy: 0.25)))
    bench.tick(after: 1)
    #expect(bench.sink.durable.count == 2)
    #expect(bench.result(0)?.metrics.first?.value == 0.75)
    #expect(bench.sink.duplicates.isEmpty)
  }

  @Test func aWorkerThatComesBackIsToldToAbandonAndCanWork() {
    let bench = CoordinatorBench(trials: 3) { $0.silenceSeconds = 5 }
    for rank in [1, 2] { bench.beat(rank) }
    bench.tick()
    let old = bench.lease(1)
    for _ in 0..<6 {
      bench.beat(2)
      bench.tick(after: 1)
    }
    bench.beat(1, holding: [old])
    bench.tick()
    #expect(bench.keep[1]?.contains(old) == false)
    #expect(bench.keep[1]?.count == 1)
    #expect(bench.sink.eventKinds().contains("worker_returned"))
  }

  @Test func timeInWhichTheCoordinatorStoodStillIsNobodysSilence() {
    let bench = CoordinatorBench()
    bench.beat(1)
    bench.tick()
    bench.tick(after: 1000)
    #expect(!bench.sink.eventKinds().contains("worker_lost"))
  }

  // MARK: - Retries

  @Test func aTrialThatKillsItsWorkersFailsAfterItsBudget() {
    for budget in [0, 2] {
      let bench = CoordinatorBench(trials: 1, workers: 4) {
        $0.retry.crash = budget
        $0.silenceSeconds = 5
      }
      var alive: Set<Rank> = [1, 2, 3, 4]
      for _ in 0...budget {
        #expect(bench.result(0) == nil)
        for rank in alive.sorted() { bench.beat(rank) }
        bench.tick()
        guard
          let victim = bench.given.max(by: {
            ($0.value.last?.lease ?? 0) < ($1.value.last?.lease ?? 0)
          })?.key
        else {
          Issue.record("nobody has the trial")
          return
        }
        #expect(alive.remove(victim) != nil, "rank \(victim) is dead")
        for _ in 0..<6 {
          for rank in alive.sorted() { bench.beat(rank) }
          bench.tick(after: 1)
        }
      }
      #expect(bench.result(0)?.status == .failed)
      #expect(bench.result(0)?.attempt == budget + 1)
    }
  }

  @Test func companionsOfACulpritAreNotCharged() {
    let bench = CoordinatorBench(trials: 40, workers: 1) {
      $0.retry.crash = 0
      $0.silenceSeconds = 5
    }
    bench.beat(1)
    bench.tick()
    bench.end(1, bench.lease(1), .finished(completeResult()), elapsed: 0.005)
    bench.tick()
    #expect((bench.keep[1]?.count ?? 0) > 5)
    bench.now += 0.1
    // Ten seconds pass in small steps without a word, then the worker is back with nothing.
    for _ in 0..<12 { bench.tick(after: 0.5) }
    #expect(bench.sink.appended.isEmpty && bench.sink.durable.count == 1, "nobody has failed")
    bench.beat(1, holding: [])
    bench.tick()
    #expect(bench.keep[1]?.count == 1, "suspects run alone")
    for _ in 0..<12 { bench.tick(after: 0.5) }
    #expect(bench.sink.durable.values.count { $0.status == .failed } == 1)
  }

  @Test func aDivergedTrialIsTriedAgainOnlyWithinItsBudget() {
    for budget in [0, 1] {
      let bench = CoordinatorBench(trials: 1, workers: 1) { $0.retry.diverged = budget }
      bench.beat(1)
      for _ in 0...budget {
        #expect(bench.result(0) == nil)
        bench.tick()
        bench.end(1, bench.lease(1), .finished(TrialResult(status: .diverged, steps: 3)))
      }
      #expect(bench.result(0)?.status == .diverged)
      #expect(bench.result(0)?.attempt == budget + 1)
    }
  }

  @Test func aTrialOverItsTimeIsRecordedAndRevoked() {
    let bench = CoordinatorBench(trials: 2, workers: 1) { $0.timeLimitSeconds = 10 }
    bench.beat(1)
    bench.tick()
    let lease = bench.lease(1)
    for _ in 0..<11 {
      bench.beat(1)
      bench.tick(after: 1)
    }
    #expect(bench.result(0)?.status == .timedOut)
    #expect(bench.keep[1]?.contains(lease) == false)
    #expect(bench.trial(1) == 1)
  }

  @Test func trialsBehindALongOneGoElsewhere() {
    let bench = CoordinatorBench(trials: 30)
    bench.beat(1)
    bench.tick()
    bench.end(1, bench.lease(1), .finished(completeResult()), elapsed: 0.005)
    bench.tick()
    #expect(bench.keep[1] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map { 1 << 40 + $0 })
    bench.tick(after: 0.6)
    #expect(bench.keep[1]?.count == 10, "it may be dead")
    bench.beat(1)
    bench.tick()
    #expect(bench.keep[1]?.count == 1)
    bench.beat(2)
    bench.tick()
    #expect(bench.trial(2) == 2, "what was taken back comes first")
  }

  // MARK: - Durability

  @Test func onlyWhatIsCommittedCounts() {
    let bench = CoordinatorBench(trials: 2, workers: 1)
    bench.beat(1)
    bench.tick()
    bench.end(1, bench.lease(1), .finished(completeResult()))
    bench.tick(after: 0.04)
    #expect(bench.coordinator.status.done == 0 || bench.sink.commits > 0)
    bench.tick(after: 0.02)
    #expect(bench.coordinator.status.done == 1)
    #expect(bench.sink.durable.count == 1)
  }

  @Test func aResultWaitsAtMostFiftyMillisecondsForTheNext() {
    let bench = CoordinatorBench(trials: 9, workers: 2)
    for rank in [1, 2] { bench.beat(rank) }
    bench.tick()
    bench.end(1, bench.lease(1), .finished(completeResult()))
    bench.tick(after: 0.03)
    bench.end(2, bench.lease(2), .finished(completeResult()))
    bench.tick(after: 0.01)
    #expect(bench.sink.commits == 0)
    bench.tick(after: 0.045)
    #expect(bench.sink.commits == 1 && bench.sink.durable.count == 2)
  }

  @Test func aSinkThatFailsEndsTheRunAsUnusable() {
    let bench = CoordinatorBench(trials: 2, workers: 1)
    bench.sink.isFull = true
    bench.beat(1)
    bench.tick()
    bench.end(1, bench.lease(1), .finished(completeResult()))
    bench.tick(after: 0.1)
    #expect(bench.coordinator.status.done == 0)
    bench.coordinator.receive(.left, from: 1, now: bench.now)
    bench.tick()
    #expect(bench.coordinator.phase == .ended(.directoryUnusable))
    #expect(bench.coordinator.failure is MemorySink.Full)
  }

  // MARK: - Stopping

  @Test func aStopLetsWorkersCheckpointAndEndsInterrupted() {
    let bench = CoordinatorBench(trials: 3)
    for rank in [1, 2] { bench.beat(rank) }
    bench.tick()
    bench.coordinator.requestStop(because: "SIGTERM", now: bench.now)
    bench.tick()
    #expect(bench.sent.count { if case .stop = $0.0 { true } else { false } } == 2)
    bench.end(1, bench.lease(1), .preempted(step: 5))
    bench.end(2, bench.lease(2), .finished(completeResult()))
    for rank in [1, 2] { bench.coordinator.receive(.left, from: rank, now: bench.now) }
    bench.tick()
    #expect(bench.coordinator.phase == .ended(.interrupted))
    #expect(bench.sink.durable.count == 1)
  }

  @Test func aStopWhenEverythingIsDoneIsNoInterruption() {
    let bench = CoordinatorBench(trials: 1, workers: 1)
    bench.beat(1)
    bench.tick()
    bench.coordinator.requestStop(because: "SIGTERM", now: bench.now)
    bench.end(1, bench.lease(1), .finished(completeResult()))
    bench.coordinator.receive(.left, from: 1, now: bench.now)
    bench.tick()
    #expect(bench.coordinator.phase == .ended(.complete))
  }

  @Test func aWorkerThatDoesNotLeaveIsWaitedForUntilTheDeadline() {
    let bench = CoordinatorBench(trials: 3, workers: 1) { $0.stopSeconds = 4 }
    bench.beat(1)
    bench.tick()
    bench.coordinator.requestStop(because: "SIGTERM", now: bench.now)
    for _ in 0..<3 { bench.tick(after: 1) }
    #expect(bench.sent.contains { if case .stop = $0.0 { true } else { false } }, "said again")
    #expect(bench.coordinator.phase != .ended(.interrupted))
    bench.tick(after: 1.1)
    #expect(bench.coordinator.phase == .ended(.interrupted))
    #expect(!bench.coordinator.isTogether)
  }

  @Test func aWorkerThatLeavesGivesItsTrialBackWithoutCharge() {
    let bench = CoordinatorBench(trials: 1) { $0.retry.crash = 0 }
    for rank in [1, 2] { bench.beat(rank) }
    bench.tick()
    bench.coordinator.receive(.left, from: 1, now: bench.now)
    bench.tick()
    #expect(bench.trial(2) == 0)
    bench.coordinator.receive(.left, from: 2, now: bench.now)
    bench.tick()
    bench.tick()
    #expect(bench.coordinator.phase == .ended(.interrupted))
  }
}
