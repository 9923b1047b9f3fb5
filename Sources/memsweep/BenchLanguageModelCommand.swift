import ArgumentParser
import MemoryNets

/// Times the training of a word-level language model.
struct BenchLanguageModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lm",
    abstract: "Times updates of an LSTM language model on fixed random words.",
    discussion: "An update is forward, backward, clipping and gradient descent.")

  @Option(help: "Units of each layer and of the embedding.") var hidden = 200
  @Option(help: "Layers of LSTM.") var layers = 2
  @Option(help: "Steps of a batch.") var unroll = 20
  @Option(help: "Sequences an update.") var batch = 20
  @Option(help: "Words.") var vocabulary = 10_000
  @Flag(help: "Prints the time of each kernel too.") var kernels = false
  @OptionGroup var execution: BenchExecution

  func validate() throws {
    for (name, value) in [
      ("hidden", hidden), ("layers", layers), ("unroll", unroll), ("batch", batch),
      ("vocabulary", vocabulary),
    ] where value < 1 {
      throw ValidationError("--\(name) is \(value); at least 1 is needed")
    }
  }

  func run() throws {
    let benchmark = try StandardWork.language(
      hidden: hidden, layers: layers, unroll: unroll, batch: batch, vocabulary: vocabulary,
      execution: execution.options)
    let measured = benchmark.measure(repetitions: execution.repetitions)
    let rate = BenchRate(measured, benchmark, execution)
    let table = kernels ? KernelTable(benchmark, repetitions: execution.repetitions) : nil
    let tokens = Double(unroll * batch)
    let line = Line(
      hidden: hidden, layers: layers, unroll: unroll, batch: batch, vocabulary: vocabulary,
      tokensPerSecond: (tokens / measured.timings.median).rounded(),
      tokensPerSecondMinimum: (tokens / measured.timings.maximum).rounded(),
      tokensPerSecondMaximum: (tokens / measured.timings.minimum).rounded(), rate: rate,
      kernels: table?.rows)
    if execution.json {
      try printJSON(line)
    } else {
      print(
        "\(Int(line.tokensPerSecond)) tokens/s (\(Int(line.tokensPerSecondMinimum)) to "
          + "\(Int(line.tokensPerSecondMaximum))), " + rate.text)
      if let table { Terminal.answer(table.text(execution.instructionSet)) }
    }
  }

  private struct Line: Encodable {
    let hidden: Int
    let layers: Int
    let unroll: Int
    let batch: Int
    let vocabulary: Int
    let tokensPerSecond: Double
    let tokensPerSecondMinimum: Double
    let tokensPerSecondMaximum: Double
    let rate: BenchRate
    /// Nil unless asked for.
    let kernels: [KernelTable.Row]?
  }
}
