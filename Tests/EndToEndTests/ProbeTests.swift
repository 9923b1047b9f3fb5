import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.timeLimit(.minutes(3))) struct ProbeTests {
    @Test func aFolderIsProbedAndTheReportShowsIt() throws {
      let sweep = try SmallSweep(seeds: 2)
      let run = try sweep.run()
      // Trials of so few steps do not reach the target, and are complete all the same.
      #expect(run.status == 0, "\(run)")
      let outcome = try Program.run(["probe", sweep.output, "--lags", "7", "--samples", "160"])
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.contains("lstm, seed 1: 24 numbers carried"))
      #expect(outcome.output.contains("layer0.W_h[3]: spectral radius"))
      let report = try Program.run(["report", sweep.output])
      #expect(report.output.contains("Measures of memory, means over seeds:"))
      #expect(report.output.contains("retention_length"))
    }

    @Test func aStackWithoutALimitIsPassedOver() throws {
      let sweep = try SmallSweep(seeds: 1, methods: "stack: {model: {cell: stack_rnn}}")
      #expect(try sweep.run(["--methods", "elman,stack"]).status == 0)
      let outcome = try Program.run(["probe", sweep.output, "--lags", "7", "--samples", "160"])
      #expect(outcome.status == 0 && outcome.output.contains("elman, seed 1"), "\(outcome)")
      #expect(outcome.error.contains("stack, seed 1: "), "\(outcome)")
      #expect(outcome.error.contains("has no state of a fixed size"), "\(outcome)")
    }

    @Test func oneCheckpointIsProbedWithoutTouchingTheStore() throws {
      let sweep = try SmallSweep(seeds: 1)
      #expect(try sweep.run().status == 0)
      let before = try Program.run(["export", sweep.output]).output
      let folder = sweep.output + "/checkpoints"
      let trial = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
      let checkpoint = "\(folder)/\(trial)/final.ckpt"
      let outcome = try Program.run(
        ["probe", checkpoint, "--samples", "160", "--lags", "7", "--no-store", "--json"])
      #expect(outcome.status == 0, "\(outcome)")
      let value = try #require(try jsonValue(outcome.output) as? [[String: Any]])
      #expect(value.count == 1 && value[0]["trial"] as? String == trial)
      #expect((value[0]["retention_by_lag"] as? [Any])?.count == 7)
      #expect(try Program.run(["export", sweep.output]).output == before)
    }

    @Test func aTrialThatWasInterruptedCanBeLookedInto() throws {
      let sweep = try SmallSweep(steps: SmallSweep.longSteps, seeds: 1)
      let running = try sweep.start()
      running.wait { !checkpointFiles(in: sweep.output).isEmpty }
      running.send(SIGTERM)
      #expect(running.wait(timeout: 60).status == 75)
      let status = try Program.run(["status", sweep.output])
      #expect(status.output.contains("| lstm, seed 1     |"), "\(status)")
      #expect(status.output.contains(" of \(SmallSweep.longSteps) |"), "\(status)")
      let path = try #require(checkpointFiles(in: sweep.output).last)
      let checkpoint = "\(sweep.output)/\(path)"
      let probed = try Program.run(["probe", checkpoint, "--samples", "160", "--lags", "7"])
      #expect(probed.status == 0 && probed.output.contains("24 numbers carried"), "\(probed)")
      #expect(probed.error.contains("has no result yet; its numbers are shown and not stored"))

      // Where no store is at hand, the file says for itself what net it is.
      let moved = sweep.folder.path("moved.ckpt")
      try FileManager.default.copyItem(atPath: checkpoint, toPath: moved)
      let outcomes = try [checkpoint, moved].map {
        try Program.run(["evaluate", $0, "--split", "validation"])
      }
      #expect(outcomes[0].status == 0 && outcomes[0].output.contains("validation.accuracy"))
      #expect(outcomes[1].output == outcomes[0].output, "\(outcomes[1])")
    }

    /// A net whose training began with another one in its place.
    @Test func aNetIsLookedIntoAndNotItsForerunner() throws {
      let start = "initialization: hidden_states, window: 3, pretrain_steps"
      let sweep = try SmallSweep(
        seeds: 1,
        methods: """
          begun: {model: {cell: lmn, \(start): 12}}
            ended: {model: {cell: lmn, \(start): 39}}
          """)
      #expect(try sweep.run(["--methods", "begun,ended"]).status == 0)
      for row in rows(ofCSV: try export(sweep.output)) {
        let trial = try #require(row["identity"])
        let checkpoint = "\(sweep.output)/checkpoints/\(trial)/final.ckpt"
        let evaluated = try Program.run(["evaluate", checkpoint, "--json"])
        let value = try #require(try jsonValue(evaluated.output) as? [String: Any], "\(evaluated)")
        let found = (value["metrics"] as? [String: Any])?["loss"] as? Double
        let stated = row["test.loss"].flatMap(Double.init)
        #expect(abs((found ?? 0) - (stated ?? 1)) < 1e-9, "\(row) \(evaluated.output)")
        let probed = try Program.run(["probe", checkpoint, "--samples", "160", "--lags", "7"])
        #expect(probed.output.contains(": 12 numbers carried"), "\(probed)")
      }
    }

    @Test func whatCannotBeProbedIsNamed() throws {
      let folder = try TemporaryFolder()
      let missing = try Program.run(["probe", folder.path("nothing")])
      #expect(missing.status == 64 && missing.error.contains("there is no such folder"))
      let empty = try Program.run(["probe", folder.path])
      #expect(empty.status == 74 && empty.error.contains("there is no result store"))
      let wrong = try Program.run(["probe", folder.path, "--threshold", "2"])
      #expect(wrong.status == 64 && wrong.error.contains("--threshold is 2.0"))
    }
  }
}
