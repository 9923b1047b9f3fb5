import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// `sweeps/data-parallel.yaml`: trials of one, two and four ranks in one run.
  @Suite(.timeLimit(.minutes(5))) struct DataParallelTests {
    private let folder: TemporaryFolder
    private static let file = Program.packageFolder + "/sweeps/data-parallel.yaml"

    init() throws { folder = try TemporaryFolder() }

    private func start(
      ranks: Int?, into name: String, _ arguments: [String] = []
    ) throws -> RunningProgram {
      try Program.start(
        ranks: ranks, [Self.file, "output.directory=\(folder.path(name))"] + arguments,
        folder: folder.path)
    }

    private func results(_ name: String) throws -> SweepResults {
      try SweepResults(of: folder.path(name))
    }

    /// Five ranks are four that train, three are two: teams are of four, or of two.
    @Test func weightsDoNotDependOnTheNumberOfRanks() throws {
      let alone = try start(ranks: nil, into: "alone").wait(timeout: 180)
      #expect(alone.status == 0, "\(alone)")
      #expect(alone.error.contains("teams are smaller, results are the same"), "\(alone)")
      let expected = try results("alone")
      #expect(expected.weights.count == 6)
      for ranks in [5, 3] {
        let outcome = try start(ranks: ranks, into: "of \(ranks)").wait(timeout: 180)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try results("of \(ranks)").differences(from: expected) == [], "\(ranks) ranks")
        let events = folder.text("of \(ranks)/events.jsonl") ?? ""
        #expect(events.contains(ranks == 5 ? "ranks 1 2 3 4" : "ranks 1 2"))
      }
    }

    @Test func aTeamOfFourIsInterruptedAndGoesOnAsTwo() throws {
      let long = [
        "train.steps=3000", "model.hidden_size=100", "checkpoint.every=500ms", "--methods", "team",
      ]
      let whole = try start(ranks: nil, into: "whole", long).wait(timeout: 240)
      #expect(whole.status == 0, "\(whole)")
      let running = try start(ranks: 5, into: "cut", long)
      running.wait(timeout: 60) {
        checkpointFiles(in: folder.path("cut")).contains { $0.contains("/step-") }
      }
      running.send(SIGUSR1)
      let cut = running.wait(timeout: 60)
      #expect(cut.status == 75, "\(cut)")
      #expect(checkpointFiles(in: folder.path("cut")).contains { $0.contains("/step-") })
      let rest = try start(ranks: 3, into: "cut", long).wait(timeout: 240)
      #expect(rest.status == 0, "\(rest)")
      #expect(try results("cut").differences(from: results("whole")) == [])
    }

    @Test func fastTeamsNeedTheirRanks() throws {
      let outcome = try start(
        ranks: 2, into: "fast", ["data_parallel.reduction=fast"]
      ).wait(timeout: 60)
      #expect(outcome.status == 64, "\(outcome)")
      #expect(
        outcome.error.contains("resources.ranks_per_trial of team is 4, and 1 rank trains"),
        "\(outcome)")
    }

    @Test func sumsAreTimedBesideThoseOfMPI() throws {
      let outcome = try Program.mpirun(
        ranks: 2,
        arguments: [
          "bench", "allreduce", "--floats", "10000", "--repetitions", "10", "--json",
        ])
      #expect(outcome.status == 0, "\(outcome)")
      let value = try #require(try jsonValue(outcome.output) as? [String: Any])
      let lines = try #require(value["reductions"] as? [[String: Any]])
      #expect(
        lines.map { $0["name"] as? String } == ["reproducible", "fast", "MPI_Allreduce"])
      for line in lines { #expect(line["ranks_agree"] as? Bool == true) }
      let alone = try Program.run(["bench", "allreduce"])
      #expect(alone.status == 64 && alone.error.contains("mpirun -n 2"), "\(alone)")
    }
  }
}
