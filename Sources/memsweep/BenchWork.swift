import ArgumentParser
import MemoryNets

/// The work that `bench cell` and `bench kernel` time: updates of a cell on a fixed batch.
struct BenchWork: ParsableArguments {
  @Option(help: "The cell, as `memsweep list` names it.") var cell = "fw_lstm"
  @Option(help: "Units of the cell.") var hidden = 50
  @Option(help: "The size of the token embedding; 0 for one-hot tokens.") var embedding = 100
  @Option(help: "Pairs in a sequence of associative retrieval, which has 2 pairs + 3 steps.")
  var pairs = 8
  @Option(help: "Another task with its own options instead, as `memsweep list` names it.")
  var task: String?
  @Option(help: "Sequences an update.") var batch = 128
  @Option(help: "The precision: float or double.") var precision = Precision.float

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
    if let task, TaskRegistry.kind(named: task) == nil {
      let known = TaskRegistry.all.map(\.name).joined(separator: ", ")
      throw ValidationError("no task \(task); there are \(known)")
    }
  }

  /// The work with another cell, or that of the command line.
  func benchmark(
    cell other: CellKind?, _ execution: BenchExecution
  ) throws -> TrainingBenchmark {
    guard let kind = other ?? CellRegistry.kind(named: cell) else {
      throw ValidationError("no cell \(cell)")
    }
    return try StandardWork.training(
      cell: kind, hidden: hidden, embedding: embedding, shape: try shape(), batch: batch,
      precision: precision, execution: execution.options)
  }

  private func shape() throws -> TaskShape {
    guard let kind = task.flatMap(TaskRegistry.kind(named:)) else {
      return StandardWork.retrievalShape(pairs: pairs)
    }
    return try kind.make(
      kind.defaults, PhiloxKey(1), DataFolder.fromEnvironment(argument: nil)
    ).shape
  }
}

extension Precision: ExpressibleByArgument {}
