import Foundation
import Testing

/// The coordinator and its workers as real processes that are killed and signalled.
@Suite(.serialized) struct RealRunTests {
  @Test(arguments: [nil, 1, 2, 3, 4]) func everyTrialIsDoneOnceOnAnyNumberOfRanks(
    ranks: Int?
  ) throws {
    let launch = try Launch.check(ranks: ranks, "sweep", "--trials", "60")
    #expect(launch.status == 0)
    #expect(launch["results"] == "60" && launch["complete"] == "60")
    #expect(launch["duplicates"] == "0")
    #expect(launch["ranks"] == "\(Array(1...max(1, (ranks ?? 1) - 1)))")
  }

  @Test func theTrialOfAKilledWorkerGoesOnElsewhere() throws {
    let launch = try Launch.check(
      ranks: 4, "sweep", "--trials", "40", "--steps", "20", "--step-microseconds", "2000",
      "--deadly", "17:1", recovers: true)
    #expect(!launch.isTimedOut)
    #expect(launch["results"] == "40" && launch["complete"] == "40")
    #expect(launch["duplicates"] == "0")
    #expect(launch["lost workers"] == "1")
    #expect(launch["trial 17"] == "complete ")
  }

  @Test func aTrialThatKillsEveryWorkerFailsAndTheOthersComplete() throws {
    let launch = try Launch.check(
      ranks: 6, "sweep", "--trials", "40", "--steps", "20", "--step-microseconds", "2000",
      "--deadly", "17:99", recovers: true)
    #expect(!launch.isTimedOut)
    #expect(launch["results"] == "40" && launch["complete"] == "39")
    #expect(launch["trial 17"] == "failed the worker died 3 times while running it")
  }

  /// Every other trial has a team, and teams are of four ranks, of two, or none.
  @Test(arguments: [6, 4, 2]) func teamsAndSingleRanksShareARun(ranks: Int) throws {
    let launch = try Launch.check(
      ranks: ranks, "sweep", "--trials", "60", "--ranks", "4", "--silence", "10")
    #expect(launch.status == 0)
    #expect(launch["results"] == "60" && launch["complete"] == "60")
    #expect(launch["duplicates"] == "0")
    #expect(launch["teams"] == (ranks == 2 ? "0" : "30"))
  }

  @Test func theTrialOfATeamThatLosesARankGoesOnElsewhere() throws {
    let launch = try Launch.check(
      ranks: 6, "sweep", "--trials", "40", "--ranks", "4", "--steps", "20",
      "--step-microseconds", "2000", "--deadly", "18:1", recovers: true)
    #expect(!launch.isTimedOut)
    #expect(launch["results"] == "40" && launch["complete"] == "40")
    #expect(launch["duplicates"] == "0")
    #expect(launch["lost workers"] == "1")
    #expect(launch["trial 18"] == "complete ")
  }

  @Test func withoutRecoveryADeathEndsTheJob() throws {
    let launch = try Launch.check(
      ranks: 3, "sweep", "--trials", "40", "--steps", "20", "--step-microseconds", "2000",
      "--deadly", "1:1")
    #expect(!launch.isTimedOut && launch.status != 0 && launch["complete"] != "40")
  }

  /// SIGUSR1 to mpirun is forwarded to all ranks.
  @Test(arguments: [nil, 3]) func aSignalEndsTheRunInGoodOrder(ranks: Int?) throws {
    let launch = try Launch.check(
      ranks: ranks, "sweep", "--trials", "100000", "--steps", "50", "--step-microseconds", "1000",
      "--ranks", "2", "--silence", "10"
    ) { process in
      sleep(2)
      kill(process, SIGUSR1)
    }
    #expect(launch.status == 75)
    #expect(launch["lost workers"] == "0")
    #expect((launch["results"].flatMap { Int($0) } ?? 0) > 5)
  }
}
