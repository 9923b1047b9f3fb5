import Foundation
import TestSupport

/// A sweep of two methods and a few seeds, written into a folder of its own.
final class SmallSweep {
  /// Steps that take a trial some milliseconds.
  static let shortSteps = 40
  /// Steps that take a trial some seconds: it can be interrupted.
  static let longSteps = 60_000

  let folder: TemporaryFolder
  /// The sweep file.
  let file: String
  /// The output directory.
  let output: String

  /// `methods` and `train` are YAML flow maps' contents, added to what is there.
  init(steps: Int = shortSteps, seeds: Int = 3, methods: String = "", output: String = "out") throws
  {
    folder = try TemporaryFolder()
    self.output = folder.path(output)
    let added = methods.isEmpty ? "" : "  \(methods)\n"
    file = try folder.write(
      """
      memsweep: 1
      name: small
      task:
        {kind: associative_retrieval, layout: art, pairs: 2, train_size: 2000,
         validation_size: 200, test_size: 200}
      base:
        model: {hidden_size: 12, embedding_size: 8}
        train: {optimizer: adam, learning_rate: 1e-3, batch_size: 32, steps: \(steps),
                evaluate_every: \(max(1, steps / 4))}
      methods:
        lstm: {model: {cell: lstm}}
        elman: {model: {cell: elman}}
      \(added)seeds: {count: \(seeds), first: 1}
      metric: {name: validation.accuracy, goal: maximize, target: 0.99}
      checkpoint: {every: 1s}
      output: {directory: \(self.output)}
      """, to: "small.yaml")
  }

  /// Runs the sweep to its end: in one process without `ranks`, else under mpirun.
  func run(ranks: Int? = nil, _ arguments: [String] = [], timeout: Double = 180) throws
    -> ProgramOutcome
  {
    try start(ranks: ranks, arguments).wait(timeout: timeout)
  }

  /// Starts the sweep.
  func start(
    ranks: Int? = nil, _ arguments: [String] = [], environment: [String: String] = [:]
  ) throws -> RunningProgram {
    try Program.start(
      ranks: ranks, [file] + arguments, environment: environment, folder: folder.path)
  }

  /// What a sweep of `longSteps` comes to when nothing happens to it; it is run once for all tests.
  static func undisturbed() throws -> SweepResults { try undisturbedResults.get() }

  private static let undisturbedResults = Result {
    let sweep = try SmallSweep(steps: longSteps)
    let outcome = try sweep.run(ranks: 3)
    guard outcome.status == 0 else { throw TestSupportError("undisturbed: \(outcome)") }
    return try sweep.results()
  }

  /// What the sweep came to.
  func results() throws -> SweepResults { try SweepResults(of: output) }

  /// The number in the output directory's `exit-status`.
  var exitStatus: Int? {
    folder.text("out/exit-status").flatMap {
      Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
    }
  }
}

/// What a finished sweep leaves that must not depend on how it was run, byte for byte.
struct SweepResults: Sendable {
  let csv: String
  /// The final weights, by their path in the output directory.
  let weights: [String: [UInt8]]

  init(of directory: String) throws {
    csv = try export(directory)
    var weights: [String: [UInt8]] = [:]
    for path in checkpointFiles(in: directory) where path.hasSuffix("/final.ckpt") {
      weights[path] = FileManager.default.contents(atPath: "\(directory)/\(path)").map {
        [UInt8]($0)
      }
    }
    self.weights = weights
  }

  /// What differs from `other`, a line each; empty when nothing does.
  func differences(from other: SweepResults) -> [String] {
    var differences: [String] = []
    if csv != other.csv { differences.append("exports: \(csv)\nand \(other.csv)") }
    for path in Set(weights.keys).union(other.weights.keys).sorted()
    where weights[path] != other.weights[path] {
      differences.append("weights: \(path)")
    }
    return differences
  }
}

/// The exported results of the output directory `directory`.
func export(_ directory: String, _ options: [String] = ["--format", "csv"]) throws -> String {
  let outcome = try Program.run(["export", directory] + options)
  guard outcome.status == 0 else { throw TestSupportError("export: \(outcome)") }
  return outcome.output
}

/// The rows of an exported table by column name.
func rows(ofCSV text: String) -> [[String: String]] {
  let lines = text.split(separator: "\n").map {
    $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }
  guard let header = lines.first else { return [] }
  return lines.dropFirst().map { Dictionary(zip(header, $0)) { first, _ in first } }
}

/// The paths of all checkpoints in the output directory `directory`, sorted.
func checkpointFiles(in directory: String) -> [String] {
  let found = FileManager.default.enumerator(atPath: "\(directory)/checkpoints")
  var paths: [String] = []
  while let path = found?.nextObject() as? String {
    if path.hasSuffix(".ckpt") { paths.append("checkpoints/\(path)") }
  }
  return paths.sorted()
}

/// The one JSON value that `text` is: one line, nothing else.
func jsonValue(_ text: String) throws -> Any {
  guard text.hasSuffix("\n"), text.dropLast().firstIndex(of: "\n") == nil else {
    throw TestSupportError("not one line: \(text)")
  }
  return try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
}
