import ArgumentParser
import Foundation
import MemoryNets

/// The options that every benchmark of training shares.
struct BenchExecution: ParsableArguments {
  @Option(name: .customLong("no-pass"), help: "Leaves a pass of the plan out; may be given again.")
  var withoutPasses: [PlanPass] = []

  @Option(help: "The instructions to use: baseline, avx2, avx512 or amx; the best unless given.")
  var instructionSet = InstructionSet.best

  @Option(help: "How many updates are timed; at least 10.")
  var repetitions = 60

  @Flag(help: "Prints one JSON object instead of text.")
  var json = false

  func validate() throws {
    if repetitions < 10 {
      throw ValidationError("--repetitions is \(repetitions); at least 10 are needed")
    }
    if !InstructionSet.available.contains(instructionSet) {
      throw ValidationError("this processor has no \(instructionSet.rawValue)")
    }
  }

  var options: ExecutionOptions {
    var options = ExecutionOptions()
    options.instructionSet = instructionSet
    options.disabledPasses = Set(withoutPasses)
    return options
  }
}

extension PlanPass: ExpressibleByArgument {}
extension InstructionSet: ExpressibleByArgument {}

/// Prints `value` as one line of JSON with its keys in order.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = .sortedKeys
  encoder.keyEncodingStrategy = .convertToSnakeCase
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// What is printed of a `TrainingRate` whatever the work.
struct BenchRate: Encodable {
  let gflops: Double
  let peakGflops: Double
  let percentOfPeak: Double
  let milliseconds: Double
  let instructionSet: String
  let parameters: Int
  let arenaBytes: Int
  let heapGrowthBytes: Int
  /// Of the time of an update, by kernel group, in percent.
  let share: [String: Double]

  init(_ rate: TrainingRate, _ benchmark: TrainingBenchmark, _ execution: BenchExecution) {
    gflops = rate.gigaflops.rounded(places: 2)
    peakGflops = rate.peakGigaflops.rounded(places: 2)
    percentOfPeak = rate.percentOfPeak.rounded(places: 1)
    milliseconds = (rate.timings.median * 1e3).rounded(places: 4)
    instructionSet = execution.instructionSet.rawValue
    parameters = benchmark.network.parameterCount
    arenaBytes = benchmark.network.arenaBytes
    heapGrowthBytes = rate.heapGrowth
    share = Dictionary(
      uniqueKeysWithValues: rate.shares.map {
        ($0.key.rawValue, ($0.value * 100).rounded(places: 1))
      })
  }

  /// `39.1 GFLOP/s, 45 % of 87.2 (avx2)`, and in a second line `product 40 %, norm 12 %` and what else
  /// takes 2 % of the time.
  var text: String {
    let parts = share.filter { $0.value >= 2 }.sorted { $0.value > $1.value }
      .map { "\($0.key) \(Int($0.value.rounded())) %" }
    return "\(gflops) GFLOP/s, \(percentOfPeak) % of \(peakGflops) (\(instructionSet))\n    "
      + parts.joined(separator: ", ")
  }
}

extension Double {
  /// To so many decimal places.
  func rounded(places: Int) -> Double {
    let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
    return (self * scale).rounded() / scale
  }
}
