import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// Every benchmark runs and says what docs/benchmarks.md promises; how fast is not asserted.
  @Suite(.timeLimit(.minutes(3))) struct BenchTests {
    private static let small = [
      "--hidden", "6", "--embedding", "5", "--batch", "3", "--pairs", "1",
    ]
    private static let rateKeys = [
      "gflops", "peak_gflops", "percent_of_peak", "milliseconds", "instruction_set", "parameters",
      "arena_bytes", "heap_growth_bytes", "share",
    ]

    /// The JSON object that a benchmark prints.
    private func measured(_ arguments: [String]) throws -> [String: Any] {
      let outcome = try Program.run(["bench"] + arguments + ["--json"])
      #expect(outcome.status == 0, "\(outcome)")
      return try #require(try jsonValue(outcome.output) as? [String: Any])
    }

    private func expect(
      _ value: Any?, has keys: [String], location: SourceLocation = #_sourceLocation
    ) throws {
      let object = try #require(value as? [String: Any], sourceLocation: location)
      for key in keys { #expect(object[key] != nil, "\(key)", sourceLocation: location) }
    }

    private func expectRate(_ value: [String: Any], _ name: String) throws {
      try expect(value, has: [name, name + "_minimum", name + "_maximum", "rate"])
      try expect(value["rate"], has: Self.rateKeys)
      #expect((value[name] as? Double ?? 0) > 0)
    }

    /// Ten thousand updates with what the first few have allocated.
    @Test func trainingTakesNoMemoryAfterTheFirstUpdates() throws {
      let value = try measured(
        ["cell", "--cell", "fw_lstm", "--repetitions", "10000"] + Self.small)
      let rate = try #require(value["rate"] as? [String: Any])
      #expect(rate["heap_growth_bytes"] as? Int == 0)
    }

    @Test func aCellIsTimed() throws {
      let value = try measured(["cell", "--repetitions", "10"] + Self.small)
      try expectRate(value, "sequences_per_second")
      try expect(
        value, has: ["cell", "task", "hidden", "embedding", "pairs", "batch", "precision"])
    }

    @Test func everyCellIsTimedInOneAnswer() throws {
      let list = try Program.run(["list", "cells", "--json"])
      let known = try #require(try jsonValue(list.output) as? [[String: Any]])
      let names = Set(known.compactMap { $0["name"] as? String })
      #expect(names.contains("lstm"))
      let value = try measured(["cell", "--all", "--repetitions", "10"] + Self.small)
      let cells = try #require(value["cells"] as? [[String: Any]])
      #expect(Set(cells.compactMap { $0["cell"] as? String }) == names)
      for cell in cells { try expectRate(cell, "sequences_per_second") }
      let text = try Program.run(["bench", "cell", "--all", "--repetitions", "10"] + Self.small)
      #expect(
        text.output.components(separatedBy: "sequences/s").count == names.count + 1, "\(text)")
    }

    @Test func kernelsAreTimedForEveryGeneratedTask() throws {
      for task in ["associative_retrieval", "copy", "adding"] {
        let value = try measured(
          ["kernel", "--cell", "lstm", "--task", task, "--repetitions", "10"] + Self.small)
        try expect(value, has: ["cell", "task", "peak_gflops", "instruction_set", "kernels"])
        #expect(value["task"] as? String == task)
        let kernels = try #require(value["kernels"] as? [[String: Any]])
        for kernel in kernels {
          try expect(
            kernel,
            has: [
              "group", "kernel", "sizes", "microseconds", "microseconds_minimum",
              "microseconds_maximum", "percent_of_time",
            ])
        }
        // What multiplies has a rate; what only moves numbers has none.
        let rated = kernels.filter { $0["gflops"] != nil && $0["percent_of_peak"] != nil }
        #expect(rated.contains { $0["group"] as? String == "weight_gradient" })
        #expect(rated.count < kernels.count)
      }
    }

    @Test func theKernelTableIsAligned() throws {
      let outcome = try Program.run(
        ["bench", "kernel", "--cell", "lstm", "--repetitions", "10"] + Self.small)
      let lines = outcome.outputLines
      let column = try #require(lines.first?.range(of: "kernel and sizes")).lowerBound
      let place = lines[0].distance(from: lines[0].startIndex, to: column)
      for line in lines.dropLast() {
        let name = line.dropFirst(place)
        #expect(name.first?.isLetter == true && line.dropFirst(place - 1).first == " ", "\(line)")
      }
    }

    @Test func aLanguageModelIsTimed() throws {
      let value = try measured([
        "lm", "--hidden", "8", "--unroll", "3", "--batch", "2", "--vocabulary", "50",
        "--repetitions", "10",
      ])
      try expectRate(value, "tokens_per_second")
    }

    @Test func checkpointsAreTimedAndVerified() throws {
      for contents in ["trained", "normal"] {
        let value = try measured([
          "checkpoint", "--megabytes", "1", "--repetitions", "10", "--contents", contents,
        ])
        try expect(value, has: ["megabytes", "file_megabytes", "ratio_of_sizes", "parameters"])
        #expect(value["is_verified"] as? Bool == true)
        #expect((value["ratio_of_sizes"] as? Double ?? 1) < 0.9)
        for direction in ["save", "restore"] {
          try expect(
            value[direction],
            has: [
              "megabytes_per_second", "megabytes_per_second_minimum",
              "megabytes_per_second_maximum", "milliseconds",
            ])
        }
      }
    }

    @Test func dispatchIsTimed() throws {
      let value = try measured(["dispatch", "--trials", "200"])
      try expect(value, has: ["trials", "workers", "seconds", "trials_per_second"])
      #expect(value["stored"] as? Int == 200)
    }

    @Test func unknownNamesAndTooFewRepetitionsAreRefused() throws {
      for arguments in [
        ["cell", "--cell", "lsmt"], ["cell", "--no-pass", "fould"], ["cell", "--repetitions", "3"],
        ["kernel", "--task", "coppy"], ["kernel", "--hidden", "0"],
        ["checkpoint", "--megabytes=-1"],
      ] {
        let outcome = try Program.run(["bench"] + arguments)
        #expect(outcome.status == 64, "\(outcome)")
      }
    }
  }
}
