import Foundation
import MPI
import MemoryNets
import Sweeps

/// A sweep of trials that only sleep, some of which kill their worker, over real ranks.
///
/// `--trials N --steps N --step-microseconds N --deadly TRIAL:TIMES --silence SECONDS --ranks N`, where
/// every other trial asks for N ranks.
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

  /// What teams need, if there are any.
  func interconnect(_ world: borrowing Communicator) throws -> Interconnect? {
    integer("ranks", 1) > 1 ? try Interconnect(world, TeamBytes(gradients: 1 << 16)) : nil
  }

  func run(over transport: MPITransport?, _ interconnect: Interconnect?) throws -> SessionEnd {
    let sink = MemorySink()
    var workerOptions = WorkerState.Options()
    workerOptions.beatSeconds = 0.2
    let deadly = options["deadly"]?.split(separator: ":").compactMap { Int($0) } ?? [-1, 0]
    let end = try SweepRun.run(
      transport: transport, stop: StopRequest(watchesLauncher: transport != nil),
      printer: ProgressPrinter(isTerminal: false), workerOptions: workerOptions,
      makeTeam: interconnect?.teamMaker(
        silenceSeconds: Double(integer("silence", 1)), instructionSet: .best),
      runner: {
        SleepingRunner(
          steps: integer("steps", 10), microseconds: UInt32(integer("step-microseconds", 100)),
          deadlySeed: deadly[0], deadlyTimes: deadly[1])
      }
    ) {
      var work = SweepWork(
        source: NumberedSource(count: integer("trials", 100), ranks: integer("ranks", 1)),
        sink: sink)
      work.options.hasTeams = integer("ranks", 1) > 1
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
    print("teams: \(events.count { $0.kind == "leased" && $0.detail.contains("ranks") })")
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
  private let ranks: Int
  private var given = 0

  init(count: Int, ranks: Int) {
    self.count = count
    self.ranks = ranks
  }

  func next() -> Trial? {
    guard let count, given < count else { return nil }
    given += 1
    return Trial(
      identity: TrialIdentity(high: 1, low: UInt64(given)), method: "sleep", parameters: [],
      configuration: TrialConfiguration(task: [:], model: [:], train: [:], seed: given),
      ranks: given % 2 == 0 ? ranks : 1)
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
    _ trial: Trial, attempt: Int, team: (any TrainingTeam)?,
    between: (TrialProgress) -> Directive
  ) -> TrialOutcome {
    do {
      let room = try team?.gradientRoom(byteCount: 4000)
      for step in 0..<steps {
        if trial.seed == deadlySeed, attempt <= deadlyTimes,
          (team?.rank ?? 0) + 1 == team?.size ?? 1
        {
          kill(getpid(), SIGKILL)
        }
        usleep(microseconds)
        var told = between(TrialProgress(step: step + 1, totalSteps: steps, metric: nil))
        if let team, let room {
          try team.sum([0..<1000], of: room, precision: .float)
          let all = try team.gather([Double(told.rawValue)])
          told = Directive(rawValue: Int(all.map { $0[0] }.max() ?? 0)) ?? told
        }
        let isLead = team?.rank ?? 0 == 0
        switch told {
        case .proceed, .checkpoint: break
        case .stop: return isLead ? .preempted(step: step + 1) : .followed
        case .abandon: return .abandoned
        }
      }
    } catch {
      return .broken(step: 0, reason: "\(error)")
    }
    if let team, team.rank > 0 { return .followed }
    var result = TrialResult(status: .complete, steps: steps)
    result.attempt = attempt
    return .finished(result)
  }
}
