import MPI
import MemoryNets
import Sweeps
import Testing

@Suite struct CoordinatorTeamTests {
  private func bench(
    _ trials: [Trial], workers: Int, nodes: [Int]? = nil
  ) -> CoordinatorBench {
    let bench = CoordinatorBench(workers: workers, source: trials) {
      $0.hasTeams = true
      $0.nodes = nodes
    }
    for rank in 1...workers { bench.beat(rank) }
    bench.tick()
    return bench
  }

  @Test func allRanksOfATeamGetTheTrialAndTheTeam() {
    let bench = bench([numberedTrial(0, ranks: 4), numberedTrial(1)], workers: 5)
    for rank in 1...4 {
      #expect(bench.given[rank]?.map(\.team) == [[1, 2, 3, 4]])
      #expect(bench.trial(rank) == 0 && bench.lease(rank) == bench.lease(1))
    }
    #expect(bench.given[5]?.map(\.team) == [[]] && bench.trial(5) == 1)
  }

  @Test func theResultOfTheLeadFreesAllRanks() {
    let trials = [numberedTrial(0, ranks: 2), numberedTrial(1, ranks: 2)]
    let bench = bench(trials, workers: 2)
    let lease = bench.lease(1)
    bench.end(2, lease, .followed)
    bench.tick()
    #expect(bench.keep[2] == [] && bench.keep[1] == [lease], "the lead may still be writing")
    bench.end(1, lease, .finished(completeResult()))
    bench.tick()
    #expect(bench.trial(1) == 1 && bench.trial(2) == 1)
    #expect(bench.given[1]?.last?.team == [1, 2])
  }

  @Test func aTeamThatCameApartGoesOnWithOthers() {
    let bench = bench([numberedTrial(0, ranks: 2)], workers: 4)
    let lease = bench.lease(1)
    bench.end(1, lease, .broken(step: 7, reason: "no answer from rank 1 of the team for 5 s"))
    bench.end(2, lease, .broken(step: 7, reason: "rank 0 of the team has left it"))
    bench.tick()
    #expect(bench.given[1]?.last?.attempt == 2, "once, whoever told of it first")
    #expect(bench.sink.events.contains { $0.detail.hasSuffix("for 5 s, at step 7") })
    for _ in 0..<2 {
      bench.end(1, bench.lease(1), .broken(step: 7, reason: "again"))
      bench.tick(after: 1)
    }
    #expect(bench.result(0)?.status == .failed)
    #expect(bench.result(0)?.reason == "the team came apart 3 times, at last: again")
  }

  @Test func aSilentRankTakesTheTeamAlong() {
    let bench = bench([numberedTrial(0, ranks: 2)], workers: 2)
    let lease = bench.lease(1)
    for _ in 0..<31 {
      bench.beat(1)
      bench.tick(after: 1)
    }
    #expect(bench.keep[1]?.contains(lease) == false)
    // One rank is left, and the trial goes on with it alone.
    #expect(bench.given[1]?.last?.team == [] && bench.given[1]?.last?.attempt == 2)
  }

  @Test func teamsAreOfOneNodeWhereTheyCanBe() {
    let bench = bench(
      [numberedTrial(0, ranks: 2), numberedTrial(1, ranks: 4), numberedTrial(2, ranks: 2)],
      workers: 8, nodes: [0, 0, 0, 5, 5, 5, 5, 9])
    #expect(bench.given[4]?.last?.team == [4, 5, 6, 7] && bench.trial(4) == 1)
    #expect(bench.given[1]?.last?.team == [1, 2])
    #expect(bench.given[3]?.last?.team == [3, 8], "of two nodes if it must be")
  }

  @Test func fewerRanksThanAskedForMakeSmallerTeams() {
    let bench = bench([numberedTrial(0, ranks: 8)], workers: 3)
    #expect(bench.given[1]?.last?.team == [1, 2])
  }

  @Test func aRunThatCanNeverHaveTheRanksIsInterrupted() {
    let trial = Trial(
      identity: TrialIdentity(high: 1, low: 1), method: "fast", parameters: [],
      configuration: TrialConfiguration(
        task: [:], model: [:], train: [:], seed: 1,
        sharing: GradientSharing(reduction: .fast, ranks: 4)),
      ranks: 4)
    let bench = bench([trial], workers: 3)
    #expect(bench.given[1] == nil)
    #expect(
      bench.sink.events.contains { $0.kind == "interrupted" && $0.detail.contains("needs 4") })
  }

  /// Trials of random sizes and durations on a dozen workers: none starts after more than so many
  /// that came later, workers are in one team at a time, and all come to their end.
  @Test(arguments: 0..<20) func noTrialIsPassedOverForEver(seed: Int) {
    var random = PhiloxStream(key: PhiloxKey(11), stream: UInt64(seed))
    let trials = (0..<400).map { numberedTrial($0, ranks: 1 << random.integer(below: 4)) }
    let workers = 8 + random.integer(below: 6)
    let bench = bench(trials, workers: workers)
    var started: [Int] = []
    var running: [LeaseNumber: (team: [Rank], left: Int)] = [:]
    var rounds = 0
    func start() {
      let given = bench.given.flatMap { rank, given in given.map { (rank, $0) } }
      for (rank, assignment) in given.sorted(by: { $0.1.lease < $1.1.lease })
      where running[assignment.lease] == nil {
        let team = assignment.team.isEmpty ? [rank] : assignment.team
        let busy = running.values.flatMap(\.team)
        #expect(Set(busy).isDisjoint(with: team))
        running[assignment.lease] = (team, 1 + random.integer(below: 30))
        started.append(assignment.trial.seed)
      }
      bench.given = [:]
    }
    start()
    while started.count < trials.count || !running.isEmpty, rounds < 20_000 {
      rounds += 1
      for (lease, trial) in running.sorted(by: { $0.key < $1.key }) {
        running[lease]?.left -= 1
        guard trial.left <= 1 else { continue }
        running[lease] = nil
        bench.end(trial.team[0], lease, .finished(completeResult()))
      }
      for rank in 1...workers { bench.beat(rank) }
      bench.tick(after: 0.01)
      start()
    }
    #expect(started.sorted() == Array(0..<trials.count))
    var most = 0
    for (place, trial) in started.enumerated() {
      most = max(most, started[..<place].count { $0 > trial })
    }
    #expect(most <= 64 && most > 0, "\(most)")
  }
}
