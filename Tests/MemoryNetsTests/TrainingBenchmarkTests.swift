import MemoryNets
import Testing

/// What benchmarks count, against counts by hand.
@Suite struct TrainingBenchmarkTests {
  private let hidden = 6
  private let embedding = 5
  private let rows = 16
  private let steps = 7

  /// Multiply-adds of an update of `cell` on 16 sequences of 2 * 2 + 3 steps.
  private func count(_ name: String, without passes: Set<PlanPass>) throws -> Int {
    let cell = try #require(CellRegistry.all.first { $0.name == name })
    var execution = ExecutionOptions()
    execution.disabledPasses = passes
    let benchmark = try StandardWork.training(
      cell: cell, hidden: hidden, embedding: embedding,
      shape: StandardWork.retrievalShape(pairs: 2), batch: rows, execution: execution)
    return Int(try benchmark.measure(repetitions: 1).operations / 2)
  }

  @Test func productsAreCounted() throws {
    // Forward, and backward to weights and to inputs; the read-out acts on the last step alone.
    let readout = 3 * rows * (100 * hidden + 37 * 100)
    let inputs = 3 * rows * steps * hidden * embedding
    let recurrent = 3 * rows * steps * hidden * hidden
    #expect(try count("elman", without: [.fold]) == readout + inputs + recurrent)
    // Folded, the inputs' products are made once for each of the 37 tokens.
    let folded = 3 * 37 * hidden * embedding
    #expect(try count("elman", without: []) == readout + folded + recurrent)
  }

  /// A read at step t is t products with keys and t multiples of values; backward there are two
  /// of each.
  @Test func readsOfAHistoryAreCounted() throws {
    let reads = 6 * rows * hidden * (0..<steps).reduce(0, +)
    #expect(try count("fw_rnn", without: []) == count("elman", without: []) + reads)
  }
}
