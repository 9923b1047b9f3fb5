import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.timeLimit(.minutes(3))) struct CommandLineTests {
    @Test func helpNamesEveryCommand() throws {
      let outcome = try Program.run(["--help"])
      #expect(outcome.status == 0)
      for command in [
        "check", "plan", "schema", "list", "status", "report", "export", "probe", "verify", "bench",
      ] {
        #expect(outcome.output.contains("  \(command)"), "\(command)")
      }
    }

    @Test(arguments: [
      ["--no-such-option"], [], ["report"], ["export", "--format", "xml", "."],
      ["sweeps/smoke.yaml", "--methods", ","], ["sweeps/smoke.yaml", "--silence", "1"],
    ])
    func wrongCommandLineIsStatus64(arguments: [String]) throws {
      let outcome = try Program.run(arguments, folder: Program.packageFolder)
      #expect(outcome.status == 64, "\(outcome)")
      #expect(outcome.output.isEmpty)
    }

    @Test func missingSweepFileIsNamed() throws {
      let outcome = try Program.run(["no/such/sweep.yaml"])
      #expect(outcome.status == 64, "\(outcome)")
      #expect(outcome.error.contains("no/such/sweep.yaml"))
    }

    @Test func checkAcceptsAGoodFile() throws {
      let sweep = try SmallSweep()
      let outcome = try Program.run(["check", sweep.file])
      #expect(outcome.status == 0, "\(outcome)")
      #expect(!FileManager.default.fileExists(atPath: sweep.output), "check wrote something")
    }

    @Test func checkNamesTheOutputDirectory() throws {
      let sweep = try SmallSweep()
      let outcome = try Program.run(["check", sweep.file, "--json"])
      let value = try #require(try jsonValue(outcome.output) as? [String: Any])
      #expect(value["output_directory"] as? String == sweep.output)
    }

    @Test func checkReportsEveryMistakeAtItsPlace() throws {
      let folder = try TemporaryFolder()
      let file = try folder.write(Self.mistakes, to: "mistakes.yaml")
      let outcome = try Program.run(["check", file])
      #expect(outcome.status == 64, "\(outcome)")
      for (line, column, words) in [(6, 21, "lstm"), (7, 14, "learning_rate"), (8, 9, "count")] {
        let place = "mistakes.yaml:\(line):\(column): "
        let message = outcome.error.split(separator: "\n").first { $0.contains(place) }
        #expect(message?.contains(words) == true, "\(place)\(words) in \(outcome.error)")
      }
      #expect(outcome.output.isEmpty)
    }

    @Test func jsonOfABadFileIsOneValue() throws {
      let folder = try TemporaryFolder()
      let file = try folder.write(Self.mistakes, to: "mistakes.yaml")
      let outcome = try Program.run(["check", file, "--json"])
      #expect(outcome.status == 64)
      _ = try jsonValue(outcome.output)
    }

    @Test(arguments: [1, 3]) func badFileUnderMPIIsReportedOnce(ranks: Int) throws {
      let folder = try TemporaryFolder()
      let file = try folder.write(Self.mistakes, to: "mistakes.yaml")
      let outcome = try Program.mpirun(ranks: ranks, arguments: [file], folder: folder.path)
      #expect(outcome.status == 64, "\(outcome)")
      #expect(outcome.error.components(separatedBy: "mistakes.yaml:6:21").count == 2)
    }

    @Test(arguments: [
      ("cells", "fw_lstm"), ("tasks", "associative_retrieval"), ("optimizers", "adam"),
      ("searches", "grid"),
    ])
    func listNamesWhatThereIs(kind: String, member: String) throws {
      let text = try Program.run(["list", kind])
      #expect(text.status == 0 && text.output.contains(member), "\(text)")
      let json = try Program.run(["list", kind, "--json"])
      _ = try jsonValue(json.output)
      #expect(json.output.contains("\"\(member)\""))
    }

    @Test func schemaIsJSON() throws {
      let outcome = try Program.run(["schema"])
      let value = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      #expect((value as? [String: Any])?["properties"] is [String: Any])
    }

    @Test func planCountsTheTrials() throws {
      let sweep = try SmallSweep()
      let outcome = try Program.run(["plan", sweep.file, "--json"])
      #expect(outcome.status == 0, "\(outcome)")
      let value = try #require(try jsonValue(outcome.output) as? [String: Any])
      #expect(value["trials"] as? Int == 6)
      #expect(!FileManager.default.fileExists(atPath: sweep.output), "plan wrote something")
      let methods = try #require(value["methods"] as? [[String: Any]])
      for method in methods {
        let parts = try #require(method["bytes"] as? [String: Int])
        #expect(parts.values.reduce(0, +) == method["bytes_a_trial"] as? Int)
        #expect(parts.values.allSatisfy { $0 >= 0 } && (parts["arena"] ?? 0) > 0)
      }
      let worker = try #require(value["bytes_a_worker"] as? Int)
      #expect(methods.allSatisfy { worker >= $0["bytes_a_trial"] as? Int ?? .max })
      #if os(Linux)
        let node = try #require(value["bytes_of_node"] as? Int)
        #expect(node > worker + 10_000_000)
        // Bytes are counted, not measured.
        let quick = try Program.run(["plan", sweep.file, "--probe-seconds", "0"])
        #expect(quick.output.contains(" a trial: arena"), "\(quick)")
        #expect(quick.output.contains("memory of one node"), "\(quick)")
      #endif
    }

    @Test func verifyAgreesWithTheReferences() throws {
      let folder = "\(Program.packageFolder)/Tests/MemoryNetsTests/Fixtures/reference"
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { $0.hasSuffix(".json") }.sorted().map { "\(folder)/\($0)" }
      let outcome = try Program.run(["verify"] + files)
      #expect(outcome.status == 0, "\(outcome)")
      let json = try Program.run(["verify", "--json"] + files)
      _ = try jsonValue(json.output)
      let strict = try Program.run(["verify", "--tolerance", "0"] + files)
      #expect(strict.status == 1, "\(strict)")
    }

    @Test func dispatchBenchmarkPrintsItsRate() throws {
      let outcome = try Program.mpirun(
        ranks: 3, arguments: ["bench", "dispatch", "--trials", "2000", "--json"])
      #expect(outcome.status == 0, "\(outcome)")
      let value = try #require(try jsonValue(outcome.output) as? [String: Any])
      #expect(try #require(value["trials_per_second"] as? Double) > 0)
    }

    private static let mistakes = """
      memsweep: 1
      name: mistakes
      task: {kind: copy}
      base: {train: {steps: 10}}
      methods:
        a: {model: {cell: lstmm}}
      parameters: {train.learning_rat: {values: [1e-3]}}
      seeds: {cuont: 3}
      """
  }
}
