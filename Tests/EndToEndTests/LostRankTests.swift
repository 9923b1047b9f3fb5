import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// Ranks killed without a warning.
  @Suite(.timeLimit(.minutes(10))) struct LostRankTests {
    @Test func sweepGoesOnWithoutAKilledWorker() throws {
      let expected = try SmallSweep.undisturbed()
      let sweep = try SmallSweep(steps: SmallSweep.longSteps)
      let running = try sweep.start(
        ranks: 4, Self.impatience, environment: Program.recoveryVariables)
      running.wait { !checkpointFiles(in: sweep.output).isEmpty }
      try Self.kill(rank: 2, of: running)
      let outcome = running.wait(timeout: 180)
      #expect(!outcome.timedOut, "\(outcome)")
      #expect(sweep.exitStatus == 0, "\(outcome)")
      #expect(running.waitUntilNothingIsLeft())
      let differences = try sweep.results().differences(from: expected)
      #expect(differences == [])
    }

    @Test func sweepGoesOnWithTheLastWorkerOfThree() throws {
      let expected = try SmallSweep.undisturbed()
      let sweep = try SmallSweep(steps: SmallSweep.longSteps)
      let running = try sweep.start(
        ranks: 4, Self.impatience, environment: Program.recoveryVariables)
      running.wait { !checkpointFiles(in: sweep.output).isEmpty }
      try Self.kill(rank: 1, of: running)
      try Self.kill(rank: 3, of: running)
      let outcome = running.wait(timeout: 180)
      #expect(!outcome.timedOut, "\(outcome)")
      #expect(sweep.exitStatus == 0, "\(outcome)")
      let differences = try sweep.results().differences(from: expected)
      #expect(differences == [])
    }

    @Test(arguments: [0, 1]) func nextStartGoesOnAfterAKilledRank(rank: Int) throws {
      let expected = try SmallSweep.undisturbed()
      let sweep = try SmallSweep(steps: SmallSweep.longSteps)
      let running = try sweep.start(ranks: 3)
      running.wait { !checkpointFiles(in: sweep.output).isEmpty }
      try Self.kill(rank: rank, of: running)
      #expect(!running.wait(timeout: 60).timedOut)
      #expect(running.waitUntilNothingIsLeft())
      let last = try sweep.run(ranks: 3)
      #expect(last.status == 0, "\(last)")
      let differences = try sweep.results().differences(from: expected)
      #expect(differences == [])
    }

    @Test func workersEndWithoutTheirCoordinator() throws {
      let sweep = try SmallSweep(steps: SmallSweep.longSteps)
      let running = try sweep.start(
        ranks: 3, Self.impatience, environment: Program.recoveryVariables)
      running.wait { !checkpointFiles(in: sweep.output).isEmpty }
      try Self.kill(rank: 0, of: running)
      #expect(!running.wait(timeout: 90).timedOut, "workers wait for ever")
      let last = try sweep.run(ranks: 3)
      #expect(last.status == 0, "\(last)")
    }

    /// Ranks are taken for dead soon.
    private static let impatience = ["--silence", "5"]

    private static func kill(rank: Int, of running: RunningProgram) throws {
      guard let process = running.process(ofRank: rank) else {
        guard running.isRunning else { return }
        throw TestSupportError("there is no rank \(rank): \(running.errorSoFar)")
      }
      Glibc.kill(process, SIGKILL)
    }
  }
}
