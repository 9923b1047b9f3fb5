import Foundation

/// The program under test, built beside the test bundle.
///
/// Every process it starts, and whatever that starts in turn on this machine, can be found, sent
/// signals and ended by it: see `RunningProgram`.
package enum Program {
  /// The built `memsweep`.
  package static var path: String {
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("memsweep").path
  }

  /// The folder of the package: that of `Package.swift`.
  package static var packageFolder: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
  }

  /// What lets Open MPI start many ranks on few cores, also as root.
  package static let launchVariables = [
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
  ]

  /// What lets the other ranks go on when one of them is killed.
  package static let recoveryVariables = ["OMPI_MCA_orte_enable_recovery": "1"]

  /// Runs `memsweep` with `arguments` to its end, without mpirun.
  ///
  /// After `timeout` seconds everything it started is killed.
  package static func run(
    _ arguments: [String], environment: [String: String] = [:], folder: String? = nil,
    timeout: Double = 120
  ) throws -> ProgramOutcome {
    try start(arguments, environment: environment, folder: folder).wait(timeout: timeout)
  }

  /// Runs `memsweep` with `arguments` on `ranks` ranks to its end.
  ///
  /// After `timeout` seconds everything it started is killed.
  package static func mpirun(
    ranks: Int, arguments: [String], environment: [String: String] = [:], folder: String? = nil,
    timeout: Double = 120
  ) throws -> ProgramOutcome {
    try start(ranks: ranks, arguments, environment: environment, folder: folder)
      .wait(timeout: timeout)
  }

  /// Starts `memsweep` with `arguments`, under mpirun when `ranks` are given.
  package static func start(
    ranks: Int? = nil, _ arguments: [String], environment: [String: String] = [:],
    folder: String? = nil
  ) throws -> RunningProgram {
    guard let ranks else {
      return try RunningProgram(path, arguments, environment: environment, folder: folder)
    }
    return try RunningProgram(
      "mpirun", ["-n", String(ranks), path] + arguments,
      environment: launchVariables.merging(environment) { $1 }, folder: folder)
  }
}

/// How a program ended and what it said.
package struct ProgramOutcome: Sendable, CustomStringConvertible {
  package let output: String
  package let error: String
  /// The exit status; of a program ended by a signal, 128 and the signal's number.
  package let status: Int32
  /// Whether it was killed because its time was over.
  package let timedOut: Bool

  /// The lines of `output`, without the empty one behind the last line break.
  package var outputLines: [Substring] {
    var lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  package var description: String {
    "status \(status)\(timedOut ? ", timed out" : "")\n--- output\n\(output)--- error\n\(error)"
  }
}

/// What went wrong in a test's surroundings, not in the program under test.
package struct TestSupportError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) {
    self.description = description
  }
}
