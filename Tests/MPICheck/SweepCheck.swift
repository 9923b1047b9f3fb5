import Foundation
import MPI
import MemoryNets
import Sweeps

/// A sweep of trials that only sleep, some of which kill their worker, over real ranks.
///
/// `--trials N --steps N --step-microseconds N --deadly TRIAL:TIMES --endless TRIAL --silence SECONDS`
struct SweepCheck {
  private var options: [String: String] = [:]

  init(_ arguments: some Sequence<String>) {
    var iterator = arguments.makeIterator()
    while let name = iterator.next(), let value = iterator.next() {
      options[String(name.dropFirst(2))] = value
    }
  }

  private func integer(_ name: String, _ otherwise: Int) -> Int {
    options[name].flatMap { Int($0) } ?? otherwise
  }

  func run(over transport: MPITransport?) throws -> SessionEnd {
    let sink = MemorySink()
    var workerOptions = WorkerState.Options()
    workerOptions.beatSeconds = 0.2
    let deadly = options["deadly"]?.split(separator: ":").compactMap { Int($0) } ?? [-1, 0]
    let end = try SweepRun.run(
      transport: transport, stop: StopRequest(watchesLauncher: transport != nil),
      printer: ProgressPrinter(isTerminal: false), workerOptions: workerOptions,
      runner: {
        SleepingRunner(
          steps: integer("steps", 10), microseconds: UInt32(integer("step-microseconds", 100)),
          deadlySeed: deadly[0], deadlyTimes: deadly[1])
      }
    ) {
      var work = SweepWork(source: NumberedSource(count: integer("trials", 100)), sink: sink)
      work.options.beatSeconds = 0.2
      work.options.silenceSeconds = Double(integer("silence", 1))
      return work
    }
    if end.final != nil { sink.report() }
    return end.sessionEnd
  }

  /// The dispatch benchmark with a sink that forgets.
  static func dispatch(_ trials: Int, over transport: MPITransport?) throws -> SessionEnd {
    let (result, end) = try DispatchBenchmark.run(
      trials: trials, transport: transport, stop: StopRequest()
    ) { CountingSink() }
    if let result {
      print("trials: \(result.trials)")
      print("seconds: \(result.seconds)")
      print("trials_per_second: \(Int(result.trialsPerSecond))")
    }
    return end.sessionEnd
  }
}

/// Keeps results in memory, and refuses a second one for a trial.
private final class MemorySink: ResultSink {
  private var results: [TrialIdentity: (Int, TrialResult)] = [:]
  private var events: [SweepEvent] = []
  private var duplicates = 0

  func status(of identity: TrialIdentity) -> TrialStatus? { results[identity]?.1.status }

  func append(_ result: TrialResult, of trial: Trial) {
    if results[trial.identity] != nil { duplicates += 1 }
    results[trial.identity] = (trial.seed, result)
  }

  func adopt(_ trial: Trial) {}
  func append(_ event: SweepEvent) { events.append(event) }
  func commit() throws {}

  func report() {
    print("results: \(results.count)")
    print("duplicates: \(duplicates)")
    print("complete: \(results.values.count { $0.1.status == .complete })")
    print("lost workers: \(events.count { $0.kind == "worker_lost" })")
    print("ranks: \(Set(results.values.map { $0.1.rank }).sorted())")
    for (seed, result) in results.values.sorted(by: { $0.0 < $1.0 })
    where result.attempt > 1 || result.status != .complete {
      print("trial \(seed): \(result.status.rawValue) \(result.reason ?? "")")
    }
  }
}

private final class CountingSink: ResultSink {
  func status(of identity: TrialIdentity) -> TrialStatus? { nil }
  func append(_ result: TrialResult, of trial: Trial) {}
  func adopt(_ trial: Trial) {}
  func append(_ event: SweepEvent) {}
  func commit() throws {}
}

private final class NumberedSource: TrialSource {
  let count: Int?
  private var given = 0

  init(count: Int) { self.count = count }

  func next() -> Trial? {
    guard let count, given < count else { return nil }
    given += 1
    return Trial(
      identity: TrialIdentity(high: 1, low: UInt64(given)), method: "sleep", parameters: [],
      configuration: TrialConfiguration(task: [:], model: [:], train: [:], seed: given))
  }
}

private final class SleepingRunner: TrialRunner {
  private let steps: Int
  private let microseconds: UInt32
  private let deadlySeed: Int
  private let deadlyTimes: Int

  init(steps: Int, microseconds: UInt32, deadlySeed: Int, deadlyTimes: Int) {
    self.steps = steps
    self.microseconds = microseconds
    self.deadlySeed = deadlySeed
    self.deadlyTimes = deadlyTimes
  }

  func run(
    _ trial: Trial, attempt: Int, between: (TrialProgress) -> Directive
  ) -> TrialOutcome {
    for step in 0..<steps {
      if trial.seed == deadlySeed, attempt <= deadlyTimes { kill(getpid(), SIGKILL) }
      usleep(microseconds)
      switch between(TrialProgress(step: step + 1, totalSteps: steps, metric: nil)) {
      case .proceed, .checkpoint: break
      case .stop: return .preempted(step: step + 1)
      case .abandon: return .abandoned
      }
    }
    var result = TrialResult(status: .complete, steps: steps)
    result.attempt = attempt
    return .finished(result)
  }
}
