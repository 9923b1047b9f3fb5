import Sweeps
import Testing

@Suite struct TeamPredictionTests {
  private func prediction(_ seconds: [Double]) -> TeamPrediction {
    TeamPrediction(
      points: seconds.enumerated().map { .init(ranks: 1 << $0.offset, seconds: $0.element) })
  }

  @Test func ranksPayWhileADoublingGainsAQuarter() {
    #expect(prediction([8, 4, 2, 1]).payingRanks == 8)
    #expect(prediction([8, 4.5, 3, 2.9]).payingRanks == 4)
    #expect(prediction([8, 7.5, 3, 1]).payingRanks == 1, "not by way of what does not pay")
    #expect(prediction([8]).payingRanks == 1)
  }

  @Test func theSpeedUpIsThatOfTheRanksThereAre() {
    let some = prediction([8, 4, 2])
    #expect(some.speedUp(ranks: 1) == 1 && some.speedUp(ranks: 4) == 4)
    #expect(some.speedUp(ranks: 64) == 4)
  }

  @Test func sumsTakeLongerBetweenNodesAndForMoreRanks() {
    var model = ReductionModel()
    model.nodeRanks = 4
    model.memoryBandwidth = 100
    model.networkBandwidth = 10
    model.latency = 3
    model.wordSeconds = 0
    #expect(model.seconds(bytes: 50, ranks: 1) == 0)
    // 4 x 50 bytes go through memory four times.
    #expect(model.seconds(bytes: 50, ranks: 4) == 8)
    // And half of 2 x 50 over the network, in two rounds.
    #expect(model.seconds(bytes: 50, ranks: 8) == 8 + 5 + 6)
  }

  @Test(arguments: [16, 64]) func ranksAreInUseWhileTrialsWait(workers: Int) {
    var simulation = PackingSimulation(workers: workers, trials: 20 * workers)
    let result = simulation.run()
    #expect(result.utilization > 0.8 && result.utilization <= 1, "\(result)")
    #expect(result.overtakings <= max(64, 2 * workers))
  }
}
