import ArgumentParser
import Foundation
import MPI
import MemoryNets
import Sweeps

/// Measures the parts of memsweep on this machine.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures the parts of memsweep on this machine.",
    subcommands: [
      BenchKernel.self, BenchCell.self, BenchLanguageModel.self, BenchCheckpoint.self,
      BenchAllreduce.self, BenchScaling.self, BenchDispatch.self,
    ])
}

/// Measures how many trials a second are handed out and durably recorded when they do nothing.
struct BenchDispatch: ParsableCommand, EveryRankCommand {
  static let configuration = CommandConfiguration(
    commandName: "dispatch",
    abstract: "Trials a second that are handed out and durably stored, when they do nothing.")

  @Option(help: "How many trials.")
  var trials = 20_000

  @Option(help: "The folder for the store; without it, a temporary one.")
  var directory: String?

  @Flag(help: "One line of JSON.")
  var json = false

  func validate() throws {
    guard trials >= 1 else { throw ValidationError("--trials is \(trials); at least 1 is needed") }
  }

  func run() throws {
    StopRequest.handleSignals()
    guard MPISession.isLaunched() else {
      Launch.exit(try measure(transport: nil).status)
    }
    let code = try MPISession.run(failed: { Terminal.note("\($0)") }) { world in
      try measure(transport: MPITransport(world)).sessionEnd
    }
    Launch.exit(ExitStatus(rawValue: code) ?? .internalError)
  }

  private func measure(transport: (any Transport)?) throws -> RunEnd {
    let folder =
      directory ?? NSTemporaryDirectory()
      + "memsweep-dispatch-\(ProcessInfo.processInfo.processIdentifier)"
    if directory == nil, Launch.isFirst {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    }
    defer { if directory == nil { try? FileManager.default.removeItem(atPath: folder) } }
    var store: ResultStore?
    let (result, end) = try DispatchBenchmark.run(
      trials: trials, transport: transport, stop: StopRequest(watchesLauncher: transport != nil)
    ) {
      let opened = try ResultStore(
        directory: folder,
        sweep: SweepRecord(
          name: "dispatch", metric: MetricGoal(), methods: ["fw_lstm"], trialCount: trials,
          fingerprint: "dispatch", createdWith: SweepSetup.program, numericContract: ""),
        encodeConfiguration: { $0.canonicalJSON })
      store = opened
      return opened
    }
    guard let result else { return end }
    let stored = store?.count ?? 0
    try store?.close()
    if json {
      Terminal.answer(
        json: .object([
          "trials": .integer(result.trials), "stored": .integer(stored),
          "workers": .integer(result.workers), "seconds": .number(result.seconds),
          "trials_per_second": .number(result.trialsPerSecond),
        ]))
    } else {
      Terminal.answer(
        "\(result.trials) trials, \(result.workers) workers, \(result.seconds) s: "
          + "\(Int(result.trialsPerSecond)) trials a second, \(stored) stored durably\n")
    }
    return end
  }
}
