import Testing

/// Teams of real processes.
@Suite(.serialized) struct TeamTests {
  private func sums(ranks: Int, _ options: String...) throws -> String {
    let launch = try Launch.check(ranks: ranks, ["team-sums"] + options)
    #expect(launch.status == 0, "\(launch.output)")
    #expect(!launch.output.contains("was told"), "\(launch.output)")
    return try #require(launch["sums"])
  }

  @Test func reproducibleSumsAreTheSameForAnyRanksAndRoutes() throws {
    let one = try sums(ranks: 1)
    // Four digests: ranks that differ have none.
    #expect(one.split(separator: ",").count == 4)
    for ranks in [2, 4, 8] { #expect(try sums(ranks: ranks) == one, "\(ranks) ranks") }
    #expect(try sums(ranks: 4, "--block", "1") == one)
    #expect(try sums(ranks: 8, "--block", "2") == one)
  }

  @Test func fastSumsAreTheSameOnAllRanks() throws {
    #expect(try sums(ranks: 4, "--reduction", "fast").split(separator: ",").count == 4)
    #expect(
      try sums(ranks: 2, "--reduction", "fast", "--gradients", "bfloat16")
        .split(separator: ",").count == 4)
  }

  @Test(arguments: ["8", "1"]) func aLostRankIsNamedAndTheOthersGoOn(block: String) throws {
    let launch = try Launch.check(
      ranks: 4, ["team-loss", "--block", block], recovers: true)
    #expect(!launch.isTimedOut)
    // Neighbours by messages miss each other; in shared memory all miss the same one.
    let said = try #require(launch["said"])
    #expect(
      said == "no answer from rank 3 of the team for 0.3 s"
        || block == "1" && said == "no answer from rank 2 of the team for 0.3 s"
        || said.hasSuffix("has left it; there was no answer from 3"),
      "\(said)")
    #expect(launch["sum of the rest"] == "3.0")
  }
}
