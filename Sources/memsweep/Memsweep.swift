import ArgumentParser
import Foundation
import Sweeps

/// The program: one subcommand per file.
@main struct Memsweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memsweep",
    abstract: "Finds out which memory makes a recurrent net remember.",
    discussion: """
      memsweep sweeps/wtt.yaml runs a sweep, alone or under mpirun, and goes on where it stopped.

      Exit status: 0 complete, 1 internal error, 2 some trials failed, diverged or timed out, \
      64 bad file or command line, 74 output folder cannot be used, 75 interrupted, run it again.
      """,
    version: SweepSetup.program,
    subcommands: [
      Run.self, Check.self, PlanSweep.self, Schema.self, List.self, Status.self,
      ReportResults.self, Export.self, Probe.self, Evaluate.self, Sample.self, Verify.self,
      DataTools.self, Bench.self,
    ],
    defaultSubcommand: Run.self)

  static func main() {
    Terminal.prepare()
    do {
      var command = try parseAsRoot()
      if !Launch.isFirst && !(command is any EveryRankCommand) { Launch.exit(.complete) }
      try command.run()
      Launch.exit(.complete)
    } catch let failure as Failure {
      Terminal.note(failure.message)
      Launch.exit(failure.status)
    } catch {
      let code = exitCode(for: error)
      guard code != .success else {
        // Help and version are answers, not errors.
        if Launch.isFirst { print(fullMessage(for: error)) }
        Launch.exit(.complete)
      }
      if code == .validationFailure {
        Terminal.note(fullMessage(for: error))
        Launch.exit(.badInput)
      }
      let failure = Failure(describing: error)
      Terminal.note(failure.message)
      Launch.exit(failure.status)
    }
  }
}

/// A command that every rank of the job takes part in; the others run on rank 0 alone.
protocol EveryRankCommand {}
