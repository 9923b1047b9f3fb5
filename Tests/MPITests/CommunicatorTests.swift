import MPI
import Testing

/// Three ranks among them, because powers of two hide mistakes with remainders.
@Suite(.serialized) struct CommunicatorTests {
  @Test(arguments: 1...4) func collectivesAgreeOnAllRanks(ranks: Int) throws {
    let launch = try Launch.check(ranks: ranks, "collectives")
    let n = Double(ranks)
    #expect(launch.status == 0)
    #expect(launch["floats"] == "\([n * (n + 1) / 2, n / 2, n * n])")
    #expect(launch["doubles"] == "\([n * (n + 1) / 2, n / 4])")
    #expect(launch["broadcast"] == "\(Array(0..<ranks + 2))")
    #expect(launch["gathered"] == "\((0..<ranks).map { [Int](repeating: $0, count: $0) })")
    // Colour is the parity and the key the negative rank: the last of each parity comes first.
    let places = (0..<ranks).map { rank in
      let group = (0..<ranks).filter { $0 % 2 == rank % 2 }
      return [group.count { $0 > rank }, group.count]
    }
    #expect(launch["split"] == "\(places)")
    #expect(launch["same on all ranks"] == "true")
  }

  @Test(arguments: 1...4) func messagesOfEverySizeArriveIntact(ranks: Int) throws {
    let launch = try Launch.check(ranks: ranks, "messages")
    #expect(launch.status == 0)
    #expect(launch["intact"] == "true")
    #expect(launch["ring"] == "\(ranks)")
  }

  @Test(arguments: 1...4) func aSubgroupFormsWithoutTheOthers(ranks: Int) throws {
    let launch = try Launch.check(ranks: ranks, "subgroup")
    #expect(launch.status == 0)
    #expect(launch["members"] == "\(Array((0..<max(1, ranks - 1)).reversed()))")
  }

  @Test func aLaunchIsKnownByItsEnvironment() {
    #expect(!MPISession.isLaunched(environment: ["PATH": "/bin", "SLURM_PROCID": "0"]))
    for name in ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"] {
      #expect(MPISession.isLaunched(environment: [name: "0"]))
    }
  }
}
