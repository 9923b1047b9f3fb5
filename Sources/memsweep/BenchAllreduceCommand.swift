import ArgumentParser
import Foundation
import MPI
import MemoryNets
import Sweeps

/// Times the sums of gradients over the ranks of a team.
struct BenchAllreduce: ParsableCommand, EveryRankCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce",
    abstract: "Times the sum of gradients over all ranks, beside MPI_Allreduce.",
    discussion: """
      mpirun -n 2 memsweep bench allreduce --floats 4650000. Times are those of the slowest rank; \
      GB/s are the bytes of one rank's gradients by the time. The hash of reproducible sums is the \
      same for 1, 2, 4 and 8 ranks.
      """)

  enum Reductions: String, CaseIterable, ExpressibleByArgument {
    case reproducible, fast, both

    var all: [DataParallelSettings.Reduction] {
      switch self {
      case .reproducible: [.reproducible]
      case .fast: [.fast]
      case .both: [.reproducible, .fast]
      }
    }
  }

  @Option(help: "Floats that each rank has.") var floats = 4_650_000
  @Option(help: "How a team sums them.") var reduction = Reductions.both
  @Option(help: "How they travel in the fast reduction.")
  var gradients = DataParallelSettings.Gradients.exact
  @Option(
    help: "Ranks that share memory at most; 1 has all of them send messages, as between nodes.")
  var ranksPerNode = Int.max
  @Option(help: "How many times; at least 10.") var repetitions = 40
  @Flag(help: "Prints one JSON object instead of text.") var json = false

  func validate() throws {
    guard floats >= 1, floats <= 1_000_000_000 else {
      throw ValidationError("--floats is \(floats); 1 to 1000000000 is possible")
    }
    guard repetitions >= 10 else {
      throw ValidationError("--repetitions is \(repetitions); at least 10 are needed")
    }
    guard ranksPerNode >= 1 else {
      throw ValidationError("--ranks-per-node is \(ranksPerNode); at least 1 is needed")
    }
  }

  func run() throws {
    guard MPISession.isLaunched() else {
      throw Failure(
        "there is one rank, and nothing to sum; start it with mpirun -n 2", .badInput)
    }
    let code = try MPISession.run(failed: { Terminal.note("\($0)") }) { world in
      guard world.size.nonzeroBitCount == 1 else {
        if world.rank == 0 {
          Terminal.note("there are \(world.size) ranks; a team has 1, 2, 4, 8, ...")
        }
        return SessionEnd(status: ExitStatus.badInput.rawValue)
      }
      try measure(world)
      return SessionEnd(status: 0)
    }
    Launch.exit(ExitStatus(rawValue: code) ?? .internalError)
  }

  private func measure(_ world: borrowing Communicator) throws {
    var options = TeamOptions()
    options.gradients = gradients
    options.blockLimit = ranksPerNode
    let benchmark = try ReductionBenchmark(
      world, floats: floats, repetitions: repetitions, options: options)
    var lines = try reduction.all.map { try benchmark.measure($0) }
    lines.append(try benchmark.measureMPI())
    let gather = try benchmark.gatherSeconds()
    guard world.rank == 0 else { return }
    let answer = Answer(
      ranks: world.size, floats: floats, ranksPerNode: min(ranksPerNode, world.size),
      gradients: gradients.rawValue, gatherMicroseconds: (gather * 1e6).rounded(places: 2),
      reductions: lines.map { Line($0, floats: floats) })
    if json { return try printJSON(answer) }
    Terminal.answer(
      "\(floats) floats on \(world.size) ranks; a gather takes \(answer.gatherMicroseconds) us\n"
        + answer.reductions.map(\.text).joined())
  }

  private struct Answer: Encodable {
    let ranks: Int
    let floats: Int
    let ranksPerNode: Int
    let gradients: String
    let gatherMicroseconds: Double
    let reductions: [Line]
  }

  private struct Line: Encodable {
    let name: String
    let milliseconds: Double
    let millisecondsMinimum: Double
    let millisecondsMaximum: Double
    let gigabytesPerSecond: Double
    let hash: String
    let ranksAgree: Bool

    init(_ line: ReductionBenchmark.Line, floats: Int) {
      name = line.name
      milliseconds = (line.median * 1e3).rounded(places: 4)
      millisecondsMinimum = ((line.seconds.first ?? 0) * 1e3).rounded(places: 4)
      millisecondsMaximum = ((line.seconds.last ?? 0) * 1e3).rounded(places: 4)
      gigabytesPerSecond = (4e-9 * Double(floats) / line.median).rounded(places: 3)
      let digits = String(line.hash, radix: 16)
      hash = String(repeating: "0", count: 16 - digits.count) + digits
      ranksAgree = line.agrees
    }

    var text: String {
      "\(name): \(milliseconds) ms (\(millisecondsMinimum) to \(millisecondsMaximum)), "
        + "\(gigabytesPerSecond) GB/s, hash \(hash)\(ranksAgree ? "" : ", ranks differ")\n"
    }
  }
}

extension DataParallelSettings.Gradients: ExpressibleByArgument {}
extension DataParallelSettings.Reduction: ExpressibleByArgument {}
