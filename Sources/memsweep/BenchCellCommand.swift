import ArgumentParser
import MemoryNets

/// Times the training of one cell, or of every cell.
struct BenchCell: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cell",
    abstract: "Times updates of a cell on a fixed batch.",
    discussion: """
      An update is forward, backward, clipping and Adam, as in a trial. The median, the slowest \
      and the fastest are shown, and the share of each kind of kernel.
      """)

  @OptionGroup var work: BenchWork
  @Flag(help: "Takes every cell in turn.") var all = false
  @OptionGroup var execution: BenchExecution

  func run() throws {
    let kinds = CellRegistry.all.filter { all || $0.name == work.cell }
    var lines: [Line] = []
    for kind in kinds {
      let line = try measured(kind)
      lines.append(line)
      if !execution.json { Terminal.answer(line.text(width: all ? 8 : 0) + "\n") }
    }
    guard execution.json else { return }
    if all {
      try printJSON(["cells": lines])
    } else if let line = lines.first {
      try printJSON(line)
    }
  }

  private func measured(_ kind: CellKind) throws -> Line {
    let benchmark = try work.benchmark(cell: kind, execution)
    let rate = try benchmark.measure(repetitions: execution.repetitions)
    let batch = Double(work.batch)
    return Line(
      cell: kind.name, task: work.task ?? "associative_retrieval", hidden: work.hidden,
      embedding: work.embedding, pairs: work.task == nil ? work.pairs : nil, batch: work.batch,
      precision: work.precision.rawValue,
      sequencesPerSecond: (batch / rate.timings.median).rounded(),
      sequencesPerSecondMinimum: (batch / rate.timings.maximum).rounded(),
      sequencesPerSecondMaximum: (batch / rate.timings.minimum).rounded(),
      rate: BenchRate(rate, benchmark, execution))
  }

  private struct Line: Encodable {
    let cell: String
    let task: String
    let hidden: Int
    let embedding: Int
    let pairs: Int?
    let batch: Int
    let precision: String
    let sequencesPerSecond: Double
    let sequencesPerSecondMinimum: Double
    let sequencesPerSecondMaximum: Double
    let rate: BenchRate

    func text(width: Int) -> String {
      let name = cell + String(repeating: " ", count: max(0, width - cell.count))
      return "\(name) \(Int(sequencesPerSecond)) sequences/s (\(Int(sequencesPerSecondMinimum)) to "
        + "\(Int(sequencesPerSecondMaximum)))\n    \(rate.text)"
    }
  }
}
