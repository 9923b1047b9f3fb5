import ArgumentParser
import Foundation
import MPI
import MemoryNets
import Sweeps

/// Times the training of a word-level language model, on one rank or on a team.
struct BenchLanguageModel: ParsableCommand, EveryRankCommand {
  static let configuration = CommandConfiguration(
    commandName: "lm",
    abstract: "Times updates of an LSTM language model on fixed random words.",
    discussion: """
      An update is forward, backward, clipping and gradient descent. With --ranks-per-trial, under \
      mpirun -n with as many ranks, they share the sequences of --batch; the rate is that of all of \
      them.
      """)

  @Option(help: "Units of each layer and of the embedding.") var hidden = 200
  @Option(help: "Layers of LSTM.") var layers = 2
  @Option(help: "Steps of a batch.") var unroll = 20
  @Option(help: "Sequences an update, over all ranks.") var batch = 20
  @Option(help: "Words.") var vocabulary = 10_000
  @Option(help: "Ranks that train the model together.") var ranksPerTrial = 1
  @Option(help: "How a team sums gradients.")
  var reduction = DataParallelSettings.Reduction.reproducible
  @Option(
    help: "Parts of a batch that reproducible gradients are summed by; for several ranks 4 or more."
  )
  var shards: Int?
  @Flag(help: "Prints the time of each kernel too.") var kernels = false
  @OptionGroup var execution: BenchExecution

  private var work: LanguageWork {
    LanguageWork(
      hidden: hidden, layers: layers, unroll: unroll, batch: batch, vocabulary: vocabulary)
  }

  /// Nil where the batch is not cut.
  private var chosenShards: Int? {
    if ranksPerTrial == 1 { return shards }
    return reduction == .fast ? ranksPerTrial : shards ?? max(4, ranksPerTrial)
  }

  func validate() throws {
    for (name, value) in [
      ("hidden", hidden), ("layers", layers), ("unroll", unroll), ("batch", batch),
      ("vocabulary", vocabulary), ("ranks-per-trial", ranksPerTrial),
    ] where value < 1 {
      throw ValidationError("--\(name) is \(value); at least 1 is needed")
    }
    guard let shards = chosenShards else { return }
    if let problem = Sharding.problem(shards: shards, ranks: ranksPerTrial) {
      throw ValidationError("--shards \(problem)")
    }
    if batch % shards != 0 {
      throw ValidationError(
        "--batch is \(batch), which does not divide into \(shards) shards; "
          + "\(batch / shards * shards) or \((batch / shards + 1) * shards) would")
    }
  }

  func run() throws {
    guard ranksPerTrial > 1 else {
      guard Launch.isFirst else { Launch.exit(.complete) }
      return try measure(chosenShards.map { Sharding(shards: $0) })
    }
    guard MPISession.isLaunched() else {
      throw Failure(
        "there is one rank; start it with mpirun -n \(ranksPerTrial)", .badInput)
    }
    let code = try MPISession.run(failed: { Terminal.note("\($0)") }) { world in
      guard world.size == ranksPerTrial else {
        if world.rank == 0 {
          Terminal.note(
            "there are \(world.size) ranks; --ranks-per-trial \(ranksPerTrial) needs as many")
        }
        return SessionEnd(status: ExitStatus.badInput.rawValue)
      }
      var options = TeamOptions()
      options.reduction = reduction
      options.instructionSet = execution.instructionSet
      let shards = chosenShards ?? ranksPerTrial
      let team = try TrialTeam(
        Array(0..<world.size), serial: 1,
        over: Interconnect(world, work.teamBytes(shards: shards, ranks: world.size)),
        options: options)
      try measure(Sharding(shards: shards, team: team))
      return SessionEnd(status: 0)
    }
    Launch.exit(ExitStatus(rawValue: code) ?? .internalError)
  }

  private func measure(_ sharding: Sharding?) throws {
    let benchmark = try work.benchmark(execution: execution.options, sharding: sharding)
    let measured = try benchmark.measure(repetitions: execution.repetitions)
    let rate = BenchRate(measured, benchmark, execution)
    let table = kernels ? try KernelTable(benchmark, repetitions: execution.repetitions) : nil
    guard Launch.isFirst else { return }
    let tokens = Double(unroll * batch)
    let line = Line(
      hidden: hidden, layers: layers, unroll: unroll, batch: batch, vocabulary: vocabulary,
      ranks: ranksPerTrial, shards: sharding?.shards,
      reduction: ranksPerTrial > 1 ? reduction.rawValue : nil,
      tokensPerSecond: (tokens / measured.timings.median).rounded(),
      tokensPerSecondMinimum: (tokens / measured.timings.maximum).rounded(),
      tokensPerSecondMaximum: (tokens / measured.timings.minimum).rounded(), rate: rate,
      kernels: table?.rows)
    if execution.json {
      try printJSON(line)
    } else {
      print(
        "\(Int(line.tokensPerSecond)) tokens/s (\(Int(line.tokensPerSecondMinimum)) to "
          + "\(Int(line.tokensPerSecondMaximum))), "
          + (ranksPerTrial > 1 ? "each of \(ranksPerTrial) ranks " : "") + rate.text)
      if let table { Terminal.answer(table.text(execution.instructionSet)) }
    }
  }

  private struct Line: Encodable {
    let hidden: Int
    let layers: Int
    let unroll: Int
    let batch: Int
    let vocabulary: Int
    let ranks: Int
    /// Nil where the batch is not cut.
    let shards: Int?
    let reduction: String?
    let tokensPerSecond: Double
    let tokensPerSecondMinimum: Double
    let tokensPerSecondMaximum: Double
    /// Of rank 0.
    let rate: BenchRate
    /// Nil unless asked for.
    let kernels: [KernelTable.Row]?
  }
}
