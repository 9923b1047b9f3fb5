import ArgumentParser
import MemoryNets

/// Times the training of one cell, or of every cell.
struct BenchCell: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cell",
    abstract: "Times updates of a cell on a fixed batch of associative retrieval.",
    discussion: """
      An update is forward, backward, clipping and Adam, as in a trial. The median, the fastest \
      and the slowest are shown, and the share of each kind of kernel.
      """)

  @Option(help: "The cell, as `memsweep list` names it.") var cell = "fw_lstm"
  @Option(help: "Units of the cell.") var hidden = 50
  @Option(help: "The size of the token embedding; 0 for one-hot tokens.") var embedding = 100
  @Option(help: "Pairs in a sequence, which has 2 pairs + 3 steps.") var pairs = 8
  @Option(help: "Sequences an update.") var batch = 128
  @Option(help: "The precision: float or double.") var precision = Precision.float
  @Flag(help: "Takes every cell in turn.") var all = false
  @OptionGroup var execution: BenchExecution

  func validate() throws {
    for (name, value, least) in [
      ("hidden", hidden, 1), ("embedding", embedding, 0), ("pairs", pairs, 1), ("batch", batch, 1),
    ] where value < least {
      throw ValidationError("--\(name) is \(value); at least \(least) is needed")
    }
    if CellRegistry.kind(named: cell) == nil {
      let known = CellRegistry.all.map(\.name).joined(separator: ", ")
      throw ValidationError("no cell \(cell); there are \(known)")
    }
  }

  func run() throws {
    for kind in CellRegistry.all where all || kind.name == cell {
      let benchmark = try StandardWork.retrieval(
        cell: kind, hidden: hidden, embedding: embedding, pairs: pairs, batch: batch,
        precision: precision, execution: execution.options)
      let measured = benchmark.measure(repetitions: execution.repetitions)
      let rate = BenchRate(measured, benchmark, execution)
      let line = Line(
        cell: kind.name, hidden: hidden, embedding: embedding, pairs: pairs, batch: batch,
        sequencesPerSecond: (Double(batch) / measured.timings.median).rounded(),
        sequencesPerSecondMinimum: (Double(batch) / measured.timings.maximum).rounded(),
        sequencesPerSecondMaximum: (Double(batch) / measured.timings.minimum).rounded(),
        rate: rate)
      if execution.json {
        try printJSON(line)
      } else {
        print(
          "\(kind.name): \(Int(line.sequencesPerSecond)) sequences/s "
            + "(\(Int(line.sequencesPerSecondMinimum)) to \(Int(line.sequencesPerSecondMaximum))), "
            + rate.text)
      }
    }
  }

  private struct Line: Encodable {
    let cell: String
    let hidden: Int
    let embedding: Int
    let pairs: Int
    let batch: Int
    let sequencesPerSecond: Double
    let sequencesPerSecondMinimum: Double
    let sequencesPerSecondMaximum: Double
    let rate: BenchRate
  }
}

extension Precision: ExpressibleByArgument {}
