import Foundation
import Testing

/// What a program started by mpirun left behind.
struct Launch {
  let status: Int32
  let output: String
  let isTimedOut: Bool

  /// The value of the line `name: value`.
  subscript(name: String) -> String? {
    output.split(separator: "\n").first { $0.hasPrefix(name + ": ") }
      .map { String($0.dropFirst(name.count + 2)) }
  }

  /// Runs `mpi-check` with `arguments` on `ranks` ranks, or without mpirun for nil.
  ///
  /// It is ended after `seconds`: a hang is a failure, not a wait. `meanwhile` is given the process
  /// identifier of what was started.
  static func check(
    ranks: Int?, _ arguments: String..., recovers: Bool = false, seconds: Double = 60,
    meanwhile: (pid_t) -> Void = { _ in }
  ) throws -> Launch {
    try check(
      ranks: ranks, arguments, recovers: recovers, seconds: seconds, meanwhile: meanwhile)
  }

  static func check(
    ranks: Int?, _ arguments: [String], recovers: Bool = false, seconds: Double = 60,
    meanwhile: (pid_t) -> Void = { _ in }
  ) throws -> Launch {
    let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("mpi-check").path
    let process = Process()
    var environment = ProcessInfo.processInfo.environment
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    environment["OMPI_MCA_rmaps_base_oversubscribe"] = "1"
    environment["OMPI_MCA_orte_enable_recovery"] = recovers ? "1" : nil
    process.environment = environment
    if let ranks {
      process.executableURL = URL(fileURLWithPath: "/usr/bin/mpirun")
      process.arguments = ["-n", "\(ranks)", program] + arguments
    } else {
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
    }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    let timer = DispatchWorkItem { kill(process.processIdentifier, SIGKILL) }
    // A test runs on a thread of a pool, which blocks signals, and a child inherits what is blocked.
    var none = sigset_t()
    var blocked = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &blocked)
    defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
    try process.run()
    DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: timer)
    meanwhile(process.processIdentifier)
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    timer.cancel()
    return Launch(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
      isTimedOut: process.terminationReason == .uncaughtSignal)
  }
}
