import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.timeLimit(.minutes(5))) struct SweepTests {
    @Test func everyTrialIsInTheTableAndTheExports() throws {
      let sweep = try SmallSweep()
      let outcome = try sweep.run(ranks: 3)
      #expect(outcome.status == 0, "\(outcome)")
      #expect(sweep.exitStatus == 0)
      for method in ["lstm", "elman"] {
        #expect(outcome.output.contains(method), "\(outcome)")
      }
      let table = rows(ofCSV: try export(sweep.output))
      #expect(table.map { $0["status"] } == Array(repeating: "complete", count: 6))
      #expect(table.map { $0["method"] } == ["lstm", "lstm", "lstm", "elman", "elman", "elman"])
      #expect(table.map { $0["seed"] } == ["1", "2", "3", "1", "2", "3"])
      #expect(try sweep.results().weights.count == 6)
      let json = try jsonValue(try export(sweep.output, ["--format", "json", "--json"]))
      #expect(((json as? [String: Any])?["trials"] as? [Any])?.count == 6)
      _ = try export(sweep.output, ["--format", "csv", "--output", sweep.folder.path("a.csv")])
      #expect(sweep.folder.text("a.csv") == (try export(sweep.output)))
    }

    @Test func resultBytesDoNotDependOnTheNumberOfRanks() throws {
      let alone = try SmallSweep()
      let outcome = try alone.run()
      #expect(outcome.status == 0, "\(outcome)")
      let expected = try alone.results()
      for ranks in [1, 2, 3, 4, 7] {
        let sweep = try SmallSweep()
        let outcome = try sweep.run(ranks: ranks)
        #expect(outcome.status == 0, "\(ranks) ranks: \(outcome)")
        let differences = try sweep.results().differences(from: expected)
        #expect(differences == [], "\(ranks) ranks")
      }
    }

    @Test func secondRunDoesNothingAndPrintsTheSameTable() throws {
      let sweep = try SmallSweep()
      let first = try sweep.run(ranks: 3)
      let timings = try export(sweep.output, ["--format", "csv", "--timings"])
      let second = try sweep.run(ranks: 2)
      #expect(first.status == 0 && second.status == 0, "\(first)\n\(second)")
      #expect(!first.output.isEmpty)
      #expect(first.output == second.output)
      #expect(try export(sweep.output, ["--format", "csv", "--timings"]) == timings)
    }

    @Test func addedSeedsRunAlone() throws {
      let sweep = try SmallSweep()
      let some = try sweep.run(["seeds.count=2"])
      #expect(some.status == 0, "\(some)")
      let before = try export(sweep.output, ["--format", "csv", "--timings"])
      let all = try sweep.run(ranks: 3)
      #expect(all.status == 0, "\(all)")
      let after = try export(sweep.output, ["--format", "csv", "--timings"])
      let kept = Set(after.split(separator: "\n"))
      #expect(before.split(separator: "\n").allSatisfy { kept.contains($0) })
      #expect(rows(ofCSV: before).count == 4)
      #expect(rows(ofCSV: after).count == 6)
    }

    @Test func divergedTrialIsNotAFinishedOne() throws {
      let wild = "wild: {model: {cell: elman, activation: relu}, train: {learning_rate: 1e30}}"
      let sweep = try SmallSweep(methods: wild)
      let outcome = try sweep.run(ranks: 3)
      #expect(outcome.output.contains("diverged"), "\(outcome)")
      #expect(sweep.exitStatus == 2)
      let table = rows(ofCSV: try export(sweep.output))
      let diverged = table.filter { $0["method"] == "wild" }
      #expect(diverged.map { $0["status"] } == ["diverged", "diverged", "diverged"])
      #expect(diverged.allSatisfy { (Int($0["steps"] ?? "") ?? 0) > 0 })
      #expect(table.filter { $0["status"] == "complete" }.count == 6)
      // And it is final: nothing of it runs again.
      let again = try sweep.run()
      #expect(again.status == 2)
      #expect(again.output == outcome.output)
    }

    @Test func statusAndReportReadTheStore() throws {
      let sweep = try SmallSweep()
      let outcome = try sweep.run()
      #expect(outcome.status == 0, "\(outcome)")
      let status = try Program.run(["status", sweep.output, "--json"])
      #expect(status.status == 0, "\(status)")
      _ = try jsonValue(status.output)
      let report = try Program.run(["report", sweep.output])
      #expect(report.status == 0 && report.output.contains("| lstm"), "\(report)")
      let json = try Program.run(["report", sweep.output, "--json"])
      _ = try jsonValue(json.output)
    }

    @Test(.enabled(if: hasSafetensors, "there is no safetensors package for python3"))
    func finalWeightsAreReadableAsSafetensors() throws {
      let sweep = try SmallSweep(seeds: 1)
      let outcome = try sweep.run()
      #expect(outcome.status == 0, "\(outcome)")
      let checkpoint = try #require(checkpointFiles(in: sweep.output).first)
      let file = sweep.folder.path("weights.safetensors")
      _ = try Program.run(
        ["export", "--format", "safetensors", "\(sweep.output)/\(checkpoint)", "--output", file])
      let script = """
        import sys
        from safetensors.numpy import load_file
        tensors = load_file(sys.argv[1])
        for name in sorted(tensors):
            t = tensors[name]
            assert (t == t).all(), name
            print(name, t.dtype, "x".join(map(str, t.shape)))
        """
      let listing = try RunningProgram("python3", ["-c", script, file]).wait()
      #expect(listing.status == 0, "\(listing)")
      #expect(listing.outputLines.contains { $0.contains("float32") && $0.hasSuffix("x12") })
    }

    private static var hasSafetensors: Bool {
      let probe = try? RunningProgram("python3", ["-c", "import safetensors.numpy"]).wait()
      return probe?.status == 0
    }
  }
}
