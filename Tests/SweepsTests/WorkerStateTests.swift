import Sweeps
import Testing

@Suite struct WorkerStateTests {
  private func assignments(_ leases: LeaseNumber...) -> [Assignment] {
    leases.map { Assignment(lease: $0, attempt: 1, trial: numberedTrial(Int($0))) }
  }

  /// A worker that holds `leases` and has said its first beat.
  private func worker(_ leases: LeaseNumber...) -> WorkerState {
    var state = WorkerState(now: 0)
    _ = state.takeMessages(now: 0)
    let new = leases.map { Assignment(lease: $0, attempt: 1, trial: numberedTrial(Int($0))) }
    state.receive(.lease(version: 1, keep: leases, new: new), now: 0)
    return state
  }

  private func outcomes(_ messages: [FromWorker]) -> [LeaseNumber] {
    messages.flatMap { message -> [LeaseNumber] in
      guard case .outcomes(let outcomes) = message else { return [] }
      return outcomes.map(\.lease)
    }
  }

  private func hasLeft(_ messages: [FromWorker]) -> Bool {
    messages.contains { if case .left = $0 { true } else { false } }
  }

  @Test func theFirstMessageIsABeat() {
    var state = WorkerState(now: 5)
    guard case .beat(0, [], nil)? = state.takeMessages(now: 5).first else {
      Issue.record("no beat")
      return
    }
    #expect(state.takeMessages(now: 5.9).isEmpty)
    #expect(state.takeMessages(now: 6).count == 1)
  }

  @Test func leasesRunInTheirOrderAndOnce() {
    var state = worker(3, 4)
    state.receive(.lease(version: 2, keep: [2, 3, 4], new: assignments(2, 3)), now: 0)
    var order: [LeaseNumber] = []
    while let next = state.begin() {
      order.append(next.lease)
      state.end(.finished(completeResult()), elapsedSeconds: 1)
      state.receive(
        .lease(version: 3 + order.count, keep: [2, 3, 4], new: assignments(2, 3, 4)), now: 0)
    }
    #expect(order == [2, 3, 4])
  }

  @Test func aRunnerThatStopsUnaskedLeaves() {
    var state = worker(1, 2)
    _ = state.begin()
    state.end(.preempted(step: 7), elapsedSeconds: 1)
    #expect(state.begin() == nil)
    let messages = state.takeMessages(now: 1)
    #expect(outcomes(messages) == [1])
    #expect(hasLeft(messages))
  }

  @Test func aMessageThatALaterOneOvertookIsVoid() {
    var state = worker(1)
    state.receive(.lease(version: 3, keep: [1], new: []), now: 0)
    state.receive(.lease(version: 2, keep: [1, 2], new: assignments(2)), now: 0)
    #expect(state.begin()?.lease == 1)
    state.end(.abandoned, elapsedSeconds: 0)
    #expect(state.begin() == nil)
  }

  @Test func aRevokedTrialIsAbandonedWithoutAWord() {
    var state = worker(1, 2)
    _ = state.begin()
    guard case .proceed = state.directive else {
      Issue.record("not proceed")
      return
    }
    state.receive(.lease(version: 2, keep: [2], new: []), now: 0)
    guard case .abandon = state.directive else {
      Issue.record("not abandon")
      return
    }
    state.end(.abandoned, elapsedSeconds: 1)
    #expect(outcomes(state.takeMessages(now: 10)).isEmpty)
    #expect(state.begin()?.lease == 2)
  }

  @Test func anOutcomeIsSaidAgainUntilItIsAcknowledged() {
    var state = worker(1)
    _ = state.begin()
    state.end(.finished(completeResult()), elapsedSeconds: 1)
    #expect(outcomes(state.takeMessages(now: 0.1)) == [1])
    #expect(outcomes(state.takeMessages(now: 0.2)) == [])
    #expect(outcomes(state.takeMessages(now: 1.2)) == [1])
    state.receive(.lease(version: 2, keep: [], new: []), now: 1.3)
    #expect(outcomes(state.takeMessages(now: 2.3)) == [])
  }

  @Test func theResultOfARevokedTrialIsSaidOnce() {
    var state = worker(1)
    _ = state.begin()
    state.receive(.lease(version: 2, keep: [], new: []), now: 0)
    state.end(.finished(completeResult()), elapsedSeconds: 1)
    #expect(outcomes(state.takeMessages(now: 0.1)) == [1])
  }

  @Test func shortTrialsReportTogether() {
    var state = worker(1, 2, 3)
    _ = state.begin()
    state.end(.finished(completeResult()), elapsedSeconds: 1e-6)
    #expect(outcomes(state.takeMessages(now: 0.001)) == [1])
    _ = state.begin()
    state.end(.finished(completeResult()), elapsedSeconds: 1e-6)
    #expect(outcomes(state.takeMessages(now: 0.0011)) == [])
    _ = state.begin()
    state.end(.finished(completeResult()), elapsedSeconds: 1e-6)
    #expect(outcomes(state.takeMessages(now: 0.0012)) == [2, 3])
  }

  @Test func aStoppedWorkerCheckpointsReportsAndLeaves() {
    var state = worker(1, 2)
    _ = state.begin()
    state.receive(.stop, now: 0.5)
    guard case .stop = state.directive else {
      Issue.record("not stop")
      return
    }
    #expect(!hasLeft(state.takeMessages(now: 0.6)))
    state.end(.preempted(step: 3), elapsedSeconds: 1)
    let messages = state.takeMessages(now: 0.7)
    #expect(outcomes(messages) == [1] && hasLeft(messages))
    #expect(state.begin() == nil)
    #expect(state.ending == nil)
    state.receive(.goodbye(finalizes: true), now: 0.8)
    guard case .dismissed(finalizes: true)? = state.ending else {
      Issue.record("not dismissed")
      return
    }
  }

  @Test func aLongStepIsNotTheCoordinatorsSilence() {
    var state = worker(1)
    state.passTime(now: 1000)
    #expect(state.ending == nil)
  }

  @Test func aWorkerWhoseCoordinatorIsSilentEnds() {
    var state = worker(1)
    for second in 1...60 { state.passTime(now: Double(second)) }
    #expect(state.ending == nil)
    state.passTime(now: 61)
    guard case .coordinatorLost? = state.ending else {
      Issue.record("still waiting")
      return
    }
  }
}
