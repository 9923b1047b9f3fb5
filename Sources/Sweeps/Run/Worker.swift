import MPI
import MemoryNets

/// Brings this rank together with the others of a team.
///
/// Called by all of them, with the same members, the lead first, and serial; `trial` says how
/// gradients are summed. Returns once all are there; `meanwhile` is called during waits and calls the
/// team off by false.
package typealias TeamMaker = (
  _ members: [Rank], _ serial: UInt32, _ trial: Trial, _ meanwhile: @escaping () -> Bool
) throws -> any TrainingTeam

/// Runs the trials that the coordinator assigns to this rank, one after another.
///
/// Messages are looked for between the steps of a trial, at most every millisecond, and so are the
/// beats sent: a step that takes longer than the coordinator's patience looks like death.
package final class Worker {
  private let transport: any Transport
  private let runner: any TrialRunner
  private let makeTeam: TeamMaker?
  private let stop: StopRequest
  private let clock: RunClock
  private var state: WorkerState
  private var lastExchange = 0.0

  /// Without `makeTeam` every trial is trained alone.
  package init(
    transport: any Transport, runner: any TrialRunner, makeTeam: TeamMaker? = nil,
    stop: StopRequest,
    clock: RunClock = RunClock(), options: WorkerState.Options = WorkerState.Options()
  ) {
    self.transport = transport
    self.runner = runner
    self.makeTeam = makeTeam
    self.stop = stop
    self.clock = clock
    state = WorkerState(options: options, now: clock.now)
  }

  /// Works until the coordinator says goodbye or is gone.
  package func run() -> WorkerState.Ending {
    var backoff = Backoff()
    while true {
      let now = clock.now
      let isBusy = state.isIdle || now - lastExchange >= 0.0005 ? exchange(now: now) : true
      if let ending = state.ending { return ending }
      if let assignment = state.begin() {
        run(assignment)
        backoff.reset()
      } else if isBusy {
        backoff.reset()
      } else {
        backoff.wait()
      }
    }
  }

  private func run(_ assignment: Assignment) {
    let start = clock.now
    let outcome: TrialOutcome
    do {
      let team = try team(for: assignment)
      outcome = runner.run(assignment.trial, attempt: assignment.attempt, team: team) { progress in
        let now = clock.now
        if now - lastExchange >= 0.001 {
          state.progress = progress
          exchange(now: now)
        }
        return state.directive
      }
    } catch {
      outcome = state.outcome(ofTeam: assignment.team, failing: error)
    }
    state.end(outcome, elapsedSeconds: clock.now - start)
  }

  private func team(for assignment: Assignment) throws -> (any TrainingTeam)? {
    guard assignment.team.count > 1, let makeTeam else { return nil }
    var isForming = true
    let team = try makeTeam(
      assignment.team, UInt32(truncatingIfNeeded: assignment.lease), assignment.trial
    ) { [unowned self] in
      let now = clock.now
      if now - lastExchange >= 0.001 { exchange(now: now) }
      switch state.directive {
      case .abandon: return false
      // Once it trains, a team stops together, between two steps.
      case .stop: return !isForming
      case .proceed, .checkpoint: return true
      }
    }
    isForming = false
    return team
  }

  /// Takes in what has come and sends what is due; returns whether there was anything.
  @discardableResult private func exchange(now: Double) -> Bool {
    var isBusy = false
    lastExchange = now
    if stop.isRequested { state.stop() }
    while let delivery = transport.receive() {
      guard let message = try? ToWorker(decoding: delivery.bytes) else { continue }
      state.receive(message, now: now)
      isBusy = true
    }
    state.passTime(now: now)
    for message in state.takeMessages(now: now) {
      transport.send(message.encoded, to: 0)
      isBusy = true
    }
    return isBusy
  }
}
