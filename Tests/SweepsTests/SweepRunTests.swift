import MemoryNets
import Sweeps
import Testing

/// Runs trials in a few steps and asks for a stop at the `stopStep`-th step of all.
private final class CountingRunner: TrialRunner {
  private let stop: StopRequest
  private let stopStep: Int
  private(set) var steps = 0
  private(set) var seeds: [Int] = []

  init(stop: StopRequest, stopStep: Int = .max) {
    self.stop = stop
    self.stopStep = stopStep
  }

  func run(
    _ trial: Trial, attempt: Int, team: (any TrainingTeam)?,
    between: (TrialProgress) -> Directive
  ) -> TrialOutcome {
    seeds.append(trial.seed)
    for step in 1...3 {
      steps += 1
      if steps == stopStep { stop.request() }
      // Exchanges are a millisecond apart; the directive is asked for until it has been seen.
      var directive = between(TrialProgress(step: step, totalSteps: 3, metric: nil))
      while stop.isRequested, case .proceed = directive {
        directive = between(TrialProgress(step: step, totalSteps: 3, metric: nil))
      }
      if case .stop = directive { return .preempted(step: step) }
    }
    return .finished(completeResult())
  }
}

@Suite struct SweepRunTests {
  private struct Unusable: Error {}

  @Test func aLoneProcessCoordinatesAndTrains() throws {
    let sink = MemorySink()
    let stop = StopRequest()
    let runner = CountingRunner(stop: stop)
    let end = try SweepRun.run(transport: nil, stop: stop, runner: { runner }) {
      SweepWork(source: ListedTrials((0..<20).map { numberedTrial($0) }), sink: sink)
    }
    #expect(end.status == .complete && end.isTogether)
    #expect(runner.seeds == Array(0..<20))
    #expect(sink.durable.count == 20 && sink.appended.isEmpty)
    #expect(end.final?.done == 20)
  }

  @Test func anInterruptedRunIsCompletedByTheNext() throws {
    let sink = MemorySink()
    let trials = (0..<5).map { numberedTrial($0) }
    var stop = StopRequest()
    let first = CountingRunner(stop: stop, stopStep: 8)
    var end = try SweepRun.run(transport: nil, stop: stop, runner: { first }) {
      SweepWork(source: ListedTrials(trials), sink: sink)
    }
    #expect(end.status == .interrupted)
    #expect(first.seeds == [0, 1, 2] && sink.durable.count == 2)
    stop = StopRequest()
    let second = CountingRunner(stop: stop)
    end = try SweepRun.run(transport: nil, stop: stop, runner: { second }) {
      SweepWork(source: ListedTrials(trials), sink: sink, incarnation: 2)
    }
    #expect(end.status == .complete)
    #expect(second.seeds == [2, 3, 4] && sink.durable.count == 5 && sink.duplicates.isEmpty)
  }

  @Test func aFailureBeforeTheStartIsThrown() {
    #expect(throws: Unusable.self) {
      let stop = StopRequest()
      _ = try SweepRun.run(transport: nil, stop: stop, runner: { CountingRunner(stop: stop) }) {
        throw Unusable()
      }
    }
  }

  @Test func aSinkThatFailsIsThrownOnceTheWorkersHaveLeft() {
    let sink = MemorySink()
    sink.isFull = true
    #expect(throws: MemorySink.Full.self) {
      let stop = StopRequest()
      _ = try SweepRun.run(transport: nil, stop: stop, runner: { CountingRunner(stop: stop) }) {
        SweepWork(source: ListedTrials([numberedTrial(0)]), sink: sink)
      }
    }
  }

  @Test func theDispatchBenchmarkRunsEveryTrialOnce() throws {
    let sink = MemorySink()
    let (result, end) = try DispatchBenchmark.run(
      trials: 500, transport: nil, stop: StopRequest()
    ) { sink }
    #expect(end.status == .complete)
    #expect(result?.trials == 500 && result?.workers == 1)
    #expect(sink.durable.count == 500 && sink.duplicates.isEmpty)
  }
}
