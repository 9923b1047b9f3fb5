import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// A sweep that was stopped and started again ends as if nothing had happened.
  ///
  /// When the interruptions come depends on the machine, what is compared does not.
  @Suite(.timeLimit(.minutes(10))) struct InterruptionTests {
    @Test func everySignalStopsWithACheckpointAndStatus75() throws {
      let expected = try SmallSweep.undisturbed()
      let sweep = try SmallSweep(steps: SmallSweep.longSteps)
      for signal in [SIGINT, SIGTERM, SIGUSR1, SIGUSR2] {
        let running = try sweep.start()
        running.wait { !checkpointFiles(in: sweep.output).isEmpty }
        running.letRun(seconds: 0.7)
        running.send(signal)
        let outcome = running.wait(timeout: 60)
        #expect(outcome.status == 75 || outcome.status == 0, "signal \(signal): \(outcome)")
        #expect(sweep.exitStatus == Int(outcome.status))
      }
      let last = try sweep.run()
      #expect(last.status == 0, "\(last)")
      let differences = try sweep.results().differences(from: expected)
      #expect(differences == [])
    }

    @Test func signalsToTheLauncherReachTheRanks() throws {
      let expected = try SmallSweep.undisturbed()
      let sweep = try SmallSweep(steps: SmallSweep.longSteps)
      for seconds in [2.1, 1.3, 3.4] {
        let running = try sweep.start(ranks: 3)
        running.letRun(seconds: seconds)
        running.send(SIGUSR1)
        let outcome = running.wait(timeout: 60)
        #expect(!outcome.timedOut, "\(outcome)")
        #expect(sweep.exitStatus == 75 || sweep.exitStatus == 0, "\(outcome)")
        #expect(running.waitUntilNothingIsLeft())
      }
      let last = try sweep.run(ranks: 3)
      #expect(last.status == 0, "\(last)")
      let differences = try sweep.results().differences(from: expected)
      #expect(differences == [])
    }

    /// Open MPI leaves the ranks a second after SIGTERM and nothing after SIGKILL.
    @Test(arguments: [SIGTERM, SIGKILL]) func endedLauncherLosesNothingFinished(signal: Int32)
      throws
    {
      let expected = try SmallSweep.undisturbed()
      let sweep = try SmallSweep(steps: SmallSweep.longSteps)
      for (seconds, ranks) in [(1.7, 3), (2.9, 2), (0.6, 7)] {
        let running = try sweep.start(ranks: ranks)
        running.letRun(seconds: seconds)
        running.send(signal)
        #expect(!running.wait(timeout: 60).timedOut)
        #expect(running.waitUntilNothingIsLeft(), "orphaned ranks live on")
      }
      let last = try sweep.run(ranks: 3)
      #expect(last.status == 0, "\(last)")
      let differences = try sweep.results().differences(from: expected)
      #expect(differences == [])
    }

    @Test func damagedCheckpointFallsBackToAnEarlierState() throws {
      let expected = try SmallSweep.undisturbed()
      let sweep = try SmallSweep(steps: SmallSweep.longSteps)
      let running = try sweep.start()
      running.wait { !checkpointFiles(in: sweep.output).isEmpty }
      running.letRun(seconds: 2.5)
      running.send(SIGTERM)
      _ = running.wait(timeout: 60)
      for path in checkpointFiles(in: sweep.output) where !path.hasSuffix("/final.ckpt") {
        let url = URL(fileURLWithPath: "\(sweep.output)/\(path)")
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: url)
      }
      let last = try sweep.run(ranks: 3)
      #expect(last.status == 0, "\(last)")
      let differences = try sweep.results().differences(from: expected)
      #expect(differences == [])
    }
  }
}
