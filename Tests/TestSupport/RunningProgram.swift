import Foundation
import Synchronization

/// A program that was started and all processes that come from it.
///
/// It leads a session of its own. Its processes carry a mark in their environment, by which those
/// in other sessions and process groups (the ranks of mpirun) are found too. What still lives when
/// this goes out of scope is killed.
package final class RunningProgram {
  package let identifier: pid_t
  private let mark: String
  private let folder: TemporaryFolder
  private var waitStatus: Int32?

  /// Starts `program`, a path or a name to be found in `PATH`.
  ///
  /// `environment` is added to that of the test, without what an outer mpirun or test left there.
  package init(
    _ program: String, _ arguments: [String], environment: [String: String] = [:],
    folder workingFolder: String? = nil
  ) throws {
    folder = try TemporaryFolder()
    let name = "MEMSWEEP_TEST_PROGRAM"
    let number = Self.started.add(1, ordering: .relaxed).newValue
    mark = "\(name)=\(getpid()).\(number)"
    var variables = ProcessInfo.processInfo.environment.filter { key, _ in
      !Self.hiddenPrefixes.contains { key.hasPrefix($0) }
    }
    variables.merge(environment) { $1 }
    let lines = variables.map { "\($0.key)=\($0.value)" } + [mark]
    // `env` changes the folder and becomes the program.
    let change = workingFolder.map { ["env", "--chdir=\($0)"] } ?? []
    identifier = try Self.spawn(
      change + [program] + arguments, environment: lines, output: folder.path("output"),
      error: folder.path("error"))
  }

  deinit {
    kill()
    folder.remove()
  }

  /// All of standard output until now.
  package var outputSoFar: String { folder.text("output") ?? "" }
  /// All of standard error until now.
  package var errorSoFar: String { folder.text("error") ?? "" }

  /// Whether the program itself still runs.
  package var isRunning: Bool {
    guard waitStatus == nil else { return false }
    var status: Int32 = 0
    guard waitpid(identifier, &status, WNOHANG) == identifier else { return true }
    waitStatus = status
    return false
  }

  /// Sends `signal` to the program alone.
  package func send(_ signal: Int32) {
    guard isRunning else { return }
    Glibc.kill(identifier, signal)
  }

  /// Sends `signal` to the program and all processes that come from it.
  package func sendToAll(_ signal: Int32) {
    for process in processes { Glibc.kill(process, signal) }
  }

  /// The living processes that come from the program, itself included.
  package var processes: [pid_t] {
    _ = isRunning
    return Self.allProcesses.filter { Self.environment(of: $0).contains(mark) }
  }

  /// The process that is rank `rank` of the program's MPI world, once it was started.
  package func process(ofRank rank: Int) -> pid_t? {
    Self.allProcesses.first { process in
      let environment = Self.environment(of: process)
      return environment.contains(mark) && environment.contains("OMPI_COMM_WORLD_RANK=\(rank)")
    }
  }

  /// Looks at `condition` again and again until it holds, the program ends or `timeout` is over.
  ///
  /// Returns whether it holds.
  @discardableResult
  package func wait(timeout: Double = 60, until condition: () -> Bool) -> Bool {
    let deadline = Self.now + timeout
    while !condition() {
      guard isRunning, Self.now < deadline else { return condition() }
      usleep(10_000)
    }
    return true
  }

  /// Lets `seconds` pass, less when the program ends.
  package func letRun(seconds: Double) {
    wait(timeout: seconds) { false }
  }

  /// Waits for the program's end; after `timeout` seconds kills it and all that came from it.
  package func wait(timeout: Double = 120) -> ProgramOutcome {
    let inTime = wait(timeout: timeout) { !isRunning }
    if !inTime { kill() }
    return outcome(timedOut: !inTime)
  }

  /// Waits until no process that came from the program is left.
  ///
  /// Returns whether that happened within `timeout` seconds.
  package func waitUntilNothingIsLeft(timeout: Double = 20) -> Bool {
    let deadline = Self.now + timeout
    while !processes.isEmpty {
      guard Self.now < deadline else { return false }
      usleep(20_000)
    }
    return true
  }

  /// Kills the program and all processes that come from it.
  package func kill() {
    let deadline = Self.now + 10
    while Self.now < deadline {
      let left = processes
      guard !left.isEmpty || isRunning else { return }
      send(SIGKILL)
      for process in left { Glibc.kill(process, SIGKILL) }
      usleep(5_000)
    }
  }

  private func outcome(timedOut: Bool) -> ProgramOutcome {
    let status = waitStatus ?? 0
    let signal = status & 0x7f
    return ProgramOutcome(
      output: outputSoFar, error: errorSoFar,
      status: signal == 0 ? (status >> 8) & 0xff : 128 + signal, timedOut: timedOut)
  }
}

// MARK: - The operating system

extension RunningProgram {
  private static let started = Atomic<Int>(0)

  /// Variables that would make a program believe that it is a rank already, or change what it does.
  private static let hiddenPrefixes = [
    "OMPI_", "PMIX_", "PMI_", "MEMSWEEP_TEST_PROGRAM", "MEMSWEEP_EXIT_STATUS",
    "MEMSWEEP_TERMINAL", "MEMSWEEP_RANKS", "MEMSWEEP_PROGRAM", "SLURM_",
  ]

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }

  private static var allProcesses: [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }
  }

  /// Empty for a process that has ended or belongs to somebody else.
  private static func environment(of process: pid_t) -> Set<String> {
    guard let bytes = FileManager.default.contents(atPath: "/proc/\(process)/environ") else {
      return []
    }
    return Set(bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
  }

  private static func spawn(
    _ arguments: [String], environment: [String], output: String, error: String
  ) throws -> pid_t {
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND
    posix_spawn_file_actions_addopen(&files, 1, output, flags, 0o600)
    posix_spawn_file_actions_addopen(&files, 2, error, flags, 0o600)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    let newSession = 0x80
    posix_spawnattr_setflags(
      &attributes, Int16(Int(POSIX_SPAWN_SETSIGMASK) | Int(POSIX_SPAWN_SETSIGDEF) | newSession))

    let argumentPointers = arguments.map { strdup($0) } + [nil]
    let environmentPointers = environment.map { strdup($0) } + [nil]
    defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
    var process: pid_t = 0
    let code = posix_spawnp(
      &process, arguments[0], &files, &attributes, argumentPointers, environmentPointers)
    guard code == 0 else {
      throw TestSupportError("cannot start \(arguments[0]): \(String(cString: strerror(code)))")
    }
    return process
  }
}
