import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// The sweep of `sweeps/smoke.yaml`, undisturbed and with five interruptions.
  @Suite(.timeLimit(.minutes(15))) struct SmokeTests {
    @Test func fiveInterruptionsLeaveNoTrace() throws {
      let folder = try TemporaryFolder()
      let calm = folder.path("calm")
      let started = Date()
      let undisturbed = try Self.start(ranks: 3, output: calm).wait(timeout: 400)
      let seconds = Date().timeIntervalSince(started)
      #expect(undisturbed.status == 0, "\(undisturbed)")

      let rough = folder.path("rough")
      // Parts of the undisturbed time, which the ranks and the signal change in turn.
      let interruptions: [(part: Double, ranks: Int, signal: Int32)] = [
        (0.11, 3, SIGTERM), (0.23, 2, SIGKILL), (0.07, 7, SIGTERM), (0.31, 1, SIGKILL),
        (0.17, 3, SIGKILL),
      ]
      for (part, ranks, signal) in interruptions {
        let running = try Self.start(ranks: ranks, output: rough)
        running.letRun(seconds: part * seconds)
        running.send(signal)
        #expect(!running.wait(timeout: 60).timedOut)
        #expect(running.waitUntilNothingIsLeft(), "\(ranks) ranks, signal \(signal)")
      }
      let last = try Self.start(ranks: 3, output: rough).wait(timeout: 400)
      #expect(last.status == 0, "\(last)")
      let expected = try SweepResults(of: calm)
      #expect(rows(ofCSV: expected.csv).count >= 12)
      let differences = try SweepResults(of: rough).differences(from: expected)
      #expect(differences == [])
      #expect(Set(rows(ofCSV: expected.csv).compactMap { $0["status"] }) == ["complete"])
    }

    private static func start(ranks: Int, output: String) throws -> RunningProgram {
      try Program.start(
        ranks: ranks, ["sweeps/smoke.yaml", "output.directory=\(output)"],
        folder: Program.packageFolder)
    }
  }
}
