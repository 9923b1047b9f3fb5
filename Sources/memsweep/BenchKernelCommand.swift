import ArgumentParser
import MemoryNets

/// Times each kernel at the sizes that a cell's update runs it with.
struct BenchKernel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernel",
    abstract: "Times each kernel within updates of a cell.",
    discussion: """
      Times are of all runs in one update; reading the clock adds some to each run. GFLOP/s are of \
      kernels that multiply and add: products, their gradients and memories.
      """)

  @OptionGroup var work: BenchWork
  @OptionGroup var execution: BenchExecution

  func run() throws {
    let benchmark = try work.benchmark(cell: nil, execution)
    let lines = KernelBenchmark.lines(benchmark, repetitions: execution.repetitions)
    let peak = PeakRate.measured(benchmark.network.kernels)
    let total = lines.reduce(Double.leastNormalMagnitude) { $0 + $1.seconds.median }
    let rows = lines.map { line in
      let rate = line.operations > 0 ? line.operations / line.seconds.median : nil
      return Row(
        group: line.group.rawValue, kernel: line.kernel, sizes: line.sizes,
        microseconds: (line.seconds.median * 1e6).rounded(places: 1),
        microsecondsMinimum: (line.seconds.minimum * 1e6).rounded(places: 1),
        microsecondsMaximum: (line.seconds.maximum * 1e6).rounded(places: 1),
        percentOfTime: (line.seconds.median / total * 100).rounded(places: 1),
        gflops: rate.map { ($0 * 1e-9).rounded(places: 1) },
        percentOfPeak: rate.map { ($0 / peak * 100).rounded(places: 1) })
    }
    if execution.json {
      try printJSON(
        Answer(
          cell: work.cell, task: work.task ?? "associative_retrieval", hidden: work.hidden,
          embedding: work.embedding, batch: work.batch, precision: work.precision.rawValue,
          instructionSet: execution.instructionSet.rawValue,
          peakGflops: (peak * 1e-9).rounded(places: 2), kernels: rows))
    } else {
      Terminal.answer(text(rows, peak: peak))
    }
  }

  private func text(_ rows: [Row], peak: Double) -> String {
    let head = ["us", "min", "max", "% of time", "GFLOP/s", "% of peak", "kernel and sizes"]
    let cells = rows.map { row in
      [
        "\(row.microseconds)", "\(row.microsecondsMinimum)", "\(row.microsecondsMaximum)",
        "\(row.percentOfTime)", row.gflops.map { "\($0)" } ?? "",
        row.percentOfPeak.map { "\($0)" } ?? "",
        row.kernel + row.sizes.reduce("") { "\($0) \($1)" },
      ]
    }
    let table = [head] + cells
    let widths = head.indices.map { column in table.reduce(0) { max($0, $1[column].count) } }
    let lines = table.map { line in
      zip(line, widths).dropLast().map { cell, width in
        String(repeating: " ", count: width - cell.count) + cell + "  "
      }.joined() + line[line.count - 1]
    }
    return lines.joined(separator: "\n")
      + "\npeak: \((peak * 1e-9).rounded(places: 1)) GFLOP/s (\(execution.instructionSet.rawValue))\n"
  }

  private struct Answer: Encodable {
    let cell: String
    let task: String
    let hidden: Int
    let embedding: Int
    let batch: Int
    let precision: String
    let instructionSet: String
    let peakGflops: Double
    let kernels: [Row]
  }

  private struct Row: Encodable {
    let group: String
    let kernel: String
    let sizes: [Int]
    let microseconds: Double
    let microsecondsMinimum: Double
    let microsecondsMaximum: Double
    let percentOfTime: Double
    /// Nil where operations are not counted.
    let gflops: Double?
    let percentOfPeak: Double?
  }
}
