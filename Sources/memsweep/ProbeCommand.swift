import ArgumentParser
import Foundation
import MemoryNets
import Sweeps

/// Measures what trained nets remember.
struct Probe: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures what trained nets remember, and puts it beside their results.",
    discussion: """
      Linear memory capacity, retention of the last inputs, recall by position, eigenvalues of \
      recurrent matrices; docs/measures.md says what they are. Of a folder every complete trial \
      whose weights were kept is measured, and its numbers enter the store and the report.
      """)

  @Argument(help: "The output folder of a sweep, or a checkpoint in it.")
  var path: String

  @Option(help: "Delays and lags that are looked at, from 0 on.")
  var lags = 100

  @Option(help: "States that read-outs are fitted and scored on.")
  var samples = 2000

  @Option(help: "Lists of memory_verification, each in as many orders as it is long.")
  var lists = 64

  @Option(help: "How much of an input must be kept for it to count to the memory length.")
  var threshold = 0.5

  @Flag(help: "Leaves the store as it is.")
  var noStore = false

  @Option(help: "The folder of data sets; without it, MEMSWEEP_DATA.")
  var data: String?

  @Flag(help: "One line of JSON, with every curve.")
  var json = false

  func validate() throws {
    for (name, value, least) in [("lags", lags, 1), ("samples", samples, 64), ("lists", lists, 1)]
    where value < least {
      throw ValidationError("--\(name) is \(value); at least \(least) is needed")
    }
    guard threshold > 0, threshold < 1 else {
      throw ValidationError("--threshold is \(threshold); a number between 0 and 1 is needed")
    }
  }

  func run() throws {
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    var options = ProbeOptions()
    (options.lags, options.samples, options.lists) = (lags, samples, lists)
    options.threshold = threshold
    let assembly = TrialAssembly(data: .fromEnvironment(argument: data, environment: environment)) {
      try decodeOptions($0, from: $1)
    }
    var answers: [JSONValue] = []
    let checkpoints = try checkpoints()
    for (label, checkpoint) in checkpoints {
      let probe: MemoryProbe
      do {
        probe = try checkpoint.probe(assembly, options: options)
      } catch let error as ProbeError where checkpoints.count > 1 {
        Terminal.note("\(label): \(error)")
        continue
      }
      if !noStore && !checkpoint.hasResult {
        Terminal.note("\(label): has no result yet; its numbers are shown and not stored")
      } else if !noStore {
        try ProbeResults.store(probe.numbers, of: checkpoint.identity, in: checkpoint.directory)
      }
      answers.append(ProbeText.json(probe, of: checkpoint, label: label))
      if !json { Terminal.answer(ProbeText.text(probe, label: label)) }
    }
    guard !answers.isEmpty else {
      throw Failure(
        "\(path): no complete trial whose weights were kept and can be probed; checkpoint.keep says "
          + "which are kept",
        .badInput)
    }
    if json { Terminal.answer(json: .array(answers)) }
  }

  private var environment: [String: String] { ProcessInfo.processInfo.environment }

  /// The checkpoints that `path` names, each with the trial's label.
  private func checkpoints() throws -> [(label: String, checkpoint: ProbedCheckpoint)] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw Failure("\(path): there is no such folder or checkpoint", .badInput)
    }
    guard isFolder.boolValue else {
      let checkpoint = try ProbedCheckpoint(path: path)
      return [("trial \(checkpoint.identity)", checkpoint)]
    }
    return try ResultReader(directory: path).completeTrials().compactMap { trial in
      guard let checkpoint = try ProbedCheckpoint(trial.identity, in: path) else {
        Terminal.note("\(trial.label): no weights were kept")
        return nil
      }
      return (trial.label, checkpoint)
    }
  }
}
