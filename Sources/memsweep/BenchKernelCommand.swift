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
    let table = try KernelTable(benchmark, repetitions: execution.repetitions)
    if execution.json {
      try printJSON(
        Answer(
          cell: work.cell, task: work.task ?? "associative_retrieval", hidden: work.hidden,
          embedding: work.embedding, batch: work.batch, precision: work.precision.rawValue,
          instructionSet: execution.instructionSet.rawValue,
          peakGflops: (table.peak * 1e-9).rounded(places: 2), kernels: table.rows))
    } else {
      Terminal.answer(table.text(execution.instructionSet))
    }
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
    let kernels: [KernelTable.Row]
  }
}
