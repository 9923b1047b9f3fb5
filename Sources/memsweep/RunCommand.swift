import ArgumentParser
import Foundation
import MPI
import MemoryNets
import Sweeps

/// Runs a sweep, alone or with the ranks of an MPI job.
struct Run: ParsableCommand, EveryRankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs a sweep; goes on where it stopped.",
    discussion: "The default command: memsweep sweeps/wtt.yaml is memsweep run sweeps/wtt.yaml.")

  @OptionGroup var sweep: SweepArguments

  @Option(
    help: ArgumentHelp(
      "Seconds of silence after which a rank is taken for dead; no step of a trial may take longer.",
      valueName: "seconds"))
  var silence = 30.0

  @Flag(help: "Ends with one line of JSON instead of the table.")
  var json = false

  func validate() throws {
    // Ranks say every second that they live.
    guard silence >= 2 else {
      throw ValidationError("--silence is \(silence); at least 2 is needed")
    }
  }

  func run() throws {
    // The products of these nets are small: a second thread would only wait.
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    // First of all: a signal that comes during the set-up must not end a rank, and with it the job.
    StopRequest.handleSignals()
    Terminal.prepare(outlivesItsReader: true)
    let spec = try sweep.load()
    guard MPISession.isLaunched() else {
      let end = try runRank(spec, transport: nil, interconnect: nil, instructionSet: nil)
      Launch.exit(end.status)
    }
    var status = ExitStatus.internalError
    let code = try MPISession.run(failed: { Terminal.note("\($0)") }) { world in
      let level = try commonInstructionSet(world, spec)
      do {
        let end = try runRank(
          spec, transport: MPITransport(world), interconnect: try interconnect(world, spec),
          instructionSet: level)
        status = end.status
        Launch.leave(status)
        return end.sessionEnd
      } catch {
        let failure = Failure(describing: error)
        Terminal.note(failure.message)
        status = failure.status
        Launch.leave(status)
        return SessionEnd(status: status.rawValue, isTogether: true)
      }
    }
    Launch.exit(ExitStatus(rawValue: code) ?? status)
  }

  /// The lowest of the levels of all ranks, so that a result does not depend on the rank: that which
  /// rank 0 prefers and the best of the others.
  private func commonInstructionSet(
    _ world: borrowing Communicator, _ spec: SweepSpec
  ) throws -> InstructionSet? {
    guard sweep.execution.instructionSet == nil else { return nil }
    let own = world.rank == 0 ? sweep.preferredInstructionSet(spec) : .best
    let all = try world.gatherToAll(Array(own.rawValue.utf8))
    let levels = all.compactMap { InstructionSet(rawValue: String(decoding: $0, as: UTF8.self)) }
    return InstructionSet.allCases.first { levels.contains($0) }
  }

  /// What the ranks of teams reach each other by, where there are any.
  private func interconnect(
    _ world: borrowing Communicator, _ spec: SweepSpec
  ) throws -> Interconnect? {
    guard spec.largestTeam > 1, world.size > 2 else { return nil }
    // Rank 0 alone looks at the tasks of all trials.
    let bytes = world.rank == 0 ? try? sweep.setup(spec).teamBytes() : nil
    return try Interconnect(world, bytes ?? TeamBytes())
  }

  private func runRank(
    _ spec: SweepSpec, transport: (any Transport)?, interconnect: Interconnect?,
    instructionSet: InstructionSet?
  ) throws -> RunEnd {
    let setup = try sweep.setup(spec, instructionSet: instructionSet)
    let makeTeam = interconnect?.teamMaker(
      silenceSeconds: silence, instructionSet: setup.execution.instructionSet)
    let stop = StopRequest(watchesLauncher: transport != nil)
    var directory: SweepDirectory?
    var store: ResultStore?
    do {
      let end = try SweepRun.run(
        transport: transport, stop: stop,
        printer: Launch.isFirst ? ProgressPrinter() : nil, workerOptions: workerOptions(),
        makeTeam: makeTeam, runner: { runner(setup, rank: transport?.rank ?? 0) }
      ) {
        let problems = setup.problems()
        guard problems.isEmpty else { throw SpecErrors(problems: problems) }
        try checkRanks(spec, workers: max(1, (transport?.size ?? 1) - 1))
        let taken = try SweepDirectory(path: spec.outputDirectory)
        directory = taken
        let source = setup.source()
        let opened = try ResultStore(
          directory: taken.path, sweep: setup.record(trialCount: source.count),
          eventLog: try EventLog(directory: taken.path),
          encodeConfiguration: { $0.canonicalJSON })
        store = opened
        try opened.setBaselines(setup.baselines())
        return SweepWork(
          source: source, sink: opened, directory: taken,
          options: coordinatorOptions(spec, interconnect))
      }
      if let store, let directory {
        let reader = try store.reader()
        answer(try Summary(reader), end, directory)
        try store.close()
        try directory.end(with: end.status)
      }
      return end
    } catch {
      // Only the run that owns the directory has one here.
      try? directory?.end(with: Failure(describing: error).status)
      throw error
    }
  }

  private func runner(_ setup: SweepSetup, rank: Int) -> TrainingRunner {
    var settings = TrainingRunner.Settings(
      checkpoints: setup.spec.outputDirectory + "/checkpoints")
    let keep = setup.spec.checkpoint.keep
    settings.keep.last = keep.last
    settings.keep.best = keep.best
    settings.keep.final = keep.final
    settings.checkpointSeconds = setup.spec.checkpoint.everySeconds
    settings.host = ProcessInfo.processInfo.hostName
    settings.rank = rank
    settings.notice = {
      try? FileHandle.standardError.write(contentsOf: Data("rank \(rank): \($0)\n".utf8))
    }
    return TrainingRunner(settings) { try setup.assembly.parts(of: $0, team: $1) }
  }

  /// Workers wait for the coordinator twice as long as it for them, since it may have to start.
  private func workerOptions() -> WorkerState.Options {
    var options = WorkerState.Options()
    options.silenceSeconds = 2 * silence
    return options
  }

  /// Says what becomes of teams for which there are too few ranks.
  private func checkRanks(_ spec: SweepSpec, workers: Int) throws {
    guard spec.largestTeam > workers else { return }
    let method = spec.methods.first { spec.ranks(of: $0) == spec.largestTeam }?.name ?? ""
    let asked = "resources.ranks_per_trial of \(method) is \(spec.largestTeam)"
    let there = "\(workers == 1 ? "1 rank trains" : "\(workers) ranks train") in this run"
    guard spec.dataParallel.reduction == .reproducible else {
      throw Failure(
        "\(asked), and \(there); mpirun -n \(spec.largestTeam + 1), fewer ranks per trial, or"
          + " reduction: reproducible, which gives the same results on any number of ranks, is needed",
        .badInput)
    }
    Terminal.note("\(asked), and \(there): teams are smaller, results are the same")
  }

  private func coordinatorOptions(
    _ spec: SweepSpec, _ interconnect: Interconnect?
  ) -> Coordinator.Options {
    var options = Coordinator.Options()
    options.hasTeams = spec.largestTeam > 1
    options.nodes = interconnect.map { Array($0.nodes.dropFirst()) }
    options.silenceSeconds = silence
    options.retry = RetryBudget(
      crash: RetrySettings.budget(spec.retry.crash) ?? .max,
      diverged: RetrySettings.budget(spec.retry.diverged) ?? .max,
      preempted: RetrySettings.budget(spec.retry.preempted))
    return options
  }

  private func answer(_ summary: Summary, _ end: RunEnd, _ directory: SweepDirectory) {
    guard json else {
      Terminal.answer(Report(summary).markdown)
      if end.status == .interrupted {
        Terminal.note("interrupted; the same command goes on from here")
      }
      return
    }
    var counts: [String: JSONValue] = [:]
    for status in TrialStatus.allCases {
      counts[status.rawValue] = .integer(summary.rows.reduce(0) { $0 + $1.count(status) })
    }
    Terminal.answer(
      json: .object([
        "exit_status": .integer(Int(end.status.rawValue)),
        "output_directory": .string(directory.path),
        "sweep": .string(summary.sweep.name),
        "trials": summary.sweep.trialCount.map(JSONValue.integer) ?? .null,
        "finished": .object(counts),
      ]))
  }
}
