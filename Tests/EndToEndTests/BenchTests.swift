import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.timeLimit(.minutes(3))) struct BenchTests {
    private static let small = [
      "--hidden", "6", "--embedding", "5", "--batch", "3", "--pairs", "1",
    ]

    /// Ten thousand updates with what the first few have allocated.
    @Test func trainingTakesNoMemoryAfterTheFirstUpdates() throws {
      let outcome = try Program.run(
        ["bench", "cell", "--cell", "fw_lstm", "--json", "--repetitions", "10000"] + Self.small)
      #expect(outcome.status == 0, "\(outcome)")
      let value = try #require(try jsonValue(outcome.output) as? [String: Any])
      let rate = try #require(value["rate"] as? [String: Any])
      #expect(rate["heap_growth_bytes"] as? Int == 0)
      #expect((value["sequences_per_second"] as? Double ?? 0) > 0)
    }

    @Test func everyCellIsTimed() throws {
      let outcome = try Program.run(["bench", "cell", "--all", "--repetitions", "10"] + Self.small)
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.split(separator: "\n").count == 8)
    }

    @Test func kernelsAndLanguageModelsAreTimed() throws {
      let kernels = try Program.run(
        ["bench", "kernel", "--cell", "lstm", "--repetitions", "10"] + Self.small)
      #expect(kernels.status == 0, "\(kernels)")
      #expect(kernels.output.contains("linear_gradient"))
      let language = try Program.run([
        "bench", "lm", "--hidden", "8", "--unroll", "3", "--batch", "2", "--vocabulary", "50",
        "--repetitions", "10",
      ])
      #expect(language.status == 0, "\(language)")
      #expect(language.output.contains("tokens/s"))
    }

    @Test func unknownCellsAndPassesAreRefused() throws {
      for arguments in [["--cell", "lsmt"], ["--no-pass", "fould"], ["--repetitions", "3"]] {
        let outcome = try Program.run(["bench", "cell"] + arguments)
        #expect(outcome.status == 64, "\(outcome)")
      }
    }
  }
}
