import Foundation
import MPI
import MemoryNets

/// A sweep of trials of 1, 2, 4 and 8 ranks over many simulated workers, handed out by the real
/// coordinator: how well it fills the ranks, and what it takes itself.
package struct PackingSimulation {
  package struct Result: Sendable {
    package let workers: Int
    package let trials: Int
    /// The part of the time in which ranks train, until the last trial starts.
    package let utilization: Double
    /// The most trials that overtook one.
    package let overtakings: Int
    /// What the coordinator took for all of it.
    package let coordinatorSeconds: Double
    /// Leases a second that the coordinator can give.
    package var leasesPerSecond: Double { Double(trials) / coordinatorSeconds }
  }

  private let workers: Int
  private let trials: Int
  private var random = PhiloxStream(key: PhiloxKey(20_261_121), stream: 0)

  package init(workers: Int, trials: Int) {
    self.workers = workers
    self.trials = trials
  }

  /// Runs all trials in simulated time; durations are exponential with a mean of a minute.
  package mutating func run() -> Result {
    let clock = RunClock()
    var options = Coordinator.Options()
    options.hasTeams = true
    options.silenceSeconds = .infinity
    let sizes = (0..<trials).map { _ in 1 << random.integer(below: 4) }
    let coordinator = Coordinator(
      source: SizedTrials(sizes), sink: ForgetfulSink(), workerCount: workers, incarnation: 1,
      options: options, now: 0)
    var spent = 0.0
    func measured(_ body: () -> Void) {
      let start = clock.now
      body()
      spent += clock.now - start
    }
    // The next to end stands last.
    var running: [(end: Double, lease: LeaseNumber, lead: Rank, size: Int)] = []
    var started: [Int] = []
    var busy = 0
    var busySeconds = 0.0
    var whole = (busySeconds: 0.0, seconds: 0.0)
    var now = 0.0

    func take(_ random: inout PhiloxStream) {
      for (message, rank) in coordinator.takeMessages() {
        guard case .lease(_, _, let new) = message else { continue }
        for assignment in new where assignment.team.first ?? rank == rank {
          let end = now - 60 * log(1 - random.uniform())
          let size = max(assignment.team.count, 1)
          let place = running.firstIndex { $0.end < end } ?? running.count
          running.insert((end, assignment.lease, rank, size), at: place)
          started.append(assignment.trial.seed)
          busy += size
          whole = (busySeconds, now)
        }
      }
    }
    for rank in 1...workers {
      coordinator.receive(.beat(seen: 0, holding: [], progress: nil), from: rank, now: 0)
    }
    measured { coordinator.tick(now: 0) }
    take(&random)
    while let ended = running.popLast() {
      busySeconds += (ended.end - now) * Double(busy)
      busy -= ended.size
      now = ended.end
      let result = TrialResult(status: .complete, steps: 1)
      let outcome = Outcome(lease: ended.lease, elapsedSeconds: 60, end: .finished(result))
      measured {
        coordinator.receive(.outcomes([outcome]), from: ended.lead, now: now)
        coordinator.tick(now: now)
      }
      take(&random)
    }
    return Result(
      workers: workers, trials: trials,
      utilization: whole.busySeconds / max(whole.seconds * Double(workers), 1e-9),
      overtakings: Self.most(started), coordinatorSeconds: spent)
  }

  /// How many later ones started before one, at most.
  private static func most(_ started: [Int]) -> Int {
    var most = 0
    var sorted: [Int] = []
    for trial in started {
      var low = 0
      var high = sorted.count
      while low < high {
        let middle = (low + high) / 2
        if sorted[middle] < trial { low = middle + 1 } else { high = middle }
      }
      most = max(most, sorted.count - low)
      sorted.insert(trial, at: low)
    }
    return most
  }
}

private final class SizedTrials: TrialSource {
  let count: Int?
  private let sizes: [Int]
  private var given = 0

  init(_ sizes: [Int]) {
    self.sizes = sizes
    count = sizes.count
  }

  func next() -> Trial? {
    guard given < sizes.count else { return nil }
    defer { given += 1 }
    return Trial(
      identity: TrialIdentity(high: 1, low: UInt64(given)), method: "team", parameters: [],
      configuration: TrialConfiguration(task: [:], model: [:], train: [:], seed: given),
      ranks: sizes[given])
  }
}

private final class ForgetfulSink: ResultSink {
  func status(of identity: TrialIdentity) -> TrialStatus? { nil }
  func append(_ result: TrialResult, of trial: Trial) {}
  func adopt(_ trial: Trial) {}
  func append(_ event: SweepEvent) {}
  func commit() throws {}
}
