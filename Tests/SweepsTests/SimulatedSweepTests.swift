import Sweeps
import Testing

@Suite struct SimulatedSweepTests {
  /// Ten times 130 schedules; a seed named in a failure reproduces it alone.
  @Test(arguments: 0..<10) func everyTrialGetsExactlyOneResultWhateverHappens(block: Int) {
    for seed in (130 * block)..<(130 * (block + 1)) {
      var sweep = SimulatedSweep(seed: seed)
      sweep.run()
      #expect(sweep.violations.isEmpty, "seed \(seed)")
    }
  }

  /// The same with trials of several ranks beside those of one.
  @Test(arguments: 0..<10) func teamsAreNeitherLostNorMixedUpWhateverHappens(block: Int) {
    var leases = 0
    for seed in (100 * block)..<(100 * (block + 1)) {
      var sweep = SimulatedSweep(seed: seed, hasTeams: true)
      sweep.run()
      #expect(sweep.violations.isEmpty, "seed \(seed)")
      leases += sweep.teamLeases
    }
    #expect(leases > 500)
  }

  @Test func theSchedulesMeetTheFaultsTheyAreFor() {
    var kinds: [String: Int] = [:]
    var deaths = 0
    var jobs = 0
    for seed in 0..<100 {
      var sweep = SimulatedSweep(seed: seed)
      sweep.run()
      for kind in sweep.sink.eventKinds() { kinds[kind, default: 0] += 1 }
      deaths += sweep.deaths
      jobs += sweep.jobs
    }
    for kind in ["worker_lost", "worker_returned", "lease_expired", "preempted", "interrupted"] {
      #expect((kinds[kind] ?? 0) >= 10, "\(kind): \(kinds)")
    }
    #expect(deaths >= 20 && jobs > 120, "\(deaths) deaths, \(jobs) jobs")
  }

  @Test func aSeedIsASchedule() {
    var first = SimulatedSweep(seed: 12)
    var second = SimulatedSweep(seed: 12)
    first.run()
    second.run()
    #expect(first.sink.events == second.sink.events)
  }
}
