import Foundation
import MemoryNets

/// The kernels of an update with their times, as they are printed.
struct KernelTable {
  /// Operations a second.
  let peak: Double
  let rows: [Row]

  /// One kernel at one size; its times are of all runs in an update.
  struct Row: Encodable {
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

  init(_ benchmark: TrainingBenchmark, repetitions: Int) throws {
    let lines = try KernelBenchmark.lines(benchmark, repetitions: repetitions)
    let peak = PeakRate.measured(benchmark.network.kernels)
    let total = lines.reduce(Double.leastNormalMagnitude) { $0 + $1.seconds.median }
    self.peak = peak
    rows = lines.map { line in
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
  }

  /// One line a kernel, the slowest first, in columns.
  func text(_ instructionSet: InstructionSet) -> String {
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
      + "\npeak: \((peak * 1e-9).rounded(places: 1)) GFLOP/s (\(instructionSet.rawValue))\n"
  }
}
