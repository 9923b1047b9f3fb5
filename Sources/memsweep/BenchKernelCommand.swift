import ArgumentParser
import MemoryNets

/// Times each kernel at the sizes that a cell's update runs it with.
struct BenchKernel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernel",
    abstract: "Times each kernel within updates of a cell.",
    discussion: "Times are of all runs in one update; reading the clock adds some to each run.")

  @Option(help: "The cell, as `memsweep list` names it.") var cell = "fw_lstm"
  @Option(help: "Units of the cell.") var hidden = 50
  @Option(help: "The size of the token embedding; 0 for one-hot tokens.") var embedding = 100
  @Option(help: "Pairs in a sequence, which has 2 pairs + 3 steps.") var pairs = 8
  @Option(help: "Sequences an update.") var batch = 128
  @OptionGroup var execution: BenchExecution

  func run() throws {
    guard let kind = CellRegistry.kind(named: cell) else {
      let known = CellRegistry.all.map(\.name).joined(separator: ", ")
      throw ValidationError("no cell \(cell); there are \(known)")
    }
    let benchmark = try StandardWork.retrieval(
      cell: kind, hidden: hidden, embedding: embedding, pairs: pairs, batch: batch,
      execution: execution.options)
    let lines = KernelBenchmark.lines(benchmark, repetitions: execution.repetitions)
    let peak = PeakRate.measured(benchmark.network.kernels)
    for line in lines {
      let rate = line.operations / line.seconds.median
      let row = Row(
        group: line.group.rawValue, kernel: line.kernel, sizes: line.sizes,
        microseconds: (line.seconds.median * 1e6).rounded(places: 1),
        microsecondsMinimum: (line.seconds.minimum * 1e6).rounded(places: 1),
        microsecondsMaximum: (line.seconds.maximum * 1e6).rounded(places: 1),
        gflops: (rate * 1e-9).rounded(places: 1),
        percentOfPeak: (rate / peak * 100).rounded(places: 1))
      if execution.json {
        try printJSON(row)
      } else {
        print(
          "\(row.microseconds) us (\(row.microsecondsMinimum) to \(row.microsecondsMaximum))  "
            + "\(row.kernel) \(row.sizes)  \(row.gflops) GFLOP/s, \(row.percentOfPeak) % of peak")
      }
    }
  }

  private struct Row: Encodable {
    let group: String
    let kernel: String
    let sizes: [Int]
    let microseconds: Double
    let microsecondsMinimum: Double
    let microsecondsMaximum: Double
    let gflops: Double
    let percentOfPeak: Double
  }
}
