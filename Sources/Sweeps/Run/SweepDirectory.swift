import Foundation

/// The output directory of a sweep, owned by this process for as long as the value lives.
///
/// Ownership is a lock of the operating system on the file `lock`, which ends with its owner; the
/// file names the owner. Where locks do not reach another host, a heartbeat that goes on in the file
/// tells that its owner lives.
package final class SweepDirectory {
  package let path: String
  /// Counts the starts of the job in this directory, from 1.
  package private(set) var incarnation = 1
  private let descriptor: Int32
  private var owner: DirectoryOwner
  private let beatSeconds = 2.0

  /// Creates the directory at `path` if there is none, takes it and checks that it can be written.
  ///
  /// Waits up to `patienceSeconds` for a living owner to end; the lock of a dead one is taken over.
  package init(
    path: String, patienceSeconds: Double = 10, clock: RunClock = RunClock()
  ) throws(DirectoryError) {
    self.path = path
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
    } catch {
      let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
      guard let cause, cause.domain == NSPOSIXErrorDomain else {
        throw .unusable(path: path, problem: error.localizedDescription)
      }
      throw DirectoryError(CInt(cause.code), at: path)
    }
    let lockPath = path + "/lock"
    descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw DirectoryError(errno, at: lockPath) }
    let now = clock.now
    owner = DirectoryOwner(
      host: ProcessInfo.processInfo.hostName, processIdentifier: getpid(), startedAt: now,
      heartbeat: now)
    do {
      try acquire(patienceSeconds: patienceSeconds, clock: clock)
      try probe()
      try writeRecord(lockPath)
      try countIncarnation()
      try remove("exit-status")
      try remove("finished")
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit {
    // An empty record: the owner ended in good order, and nobody has to wait for its heartbeat.
    ftruncate(descriptor, 0)
    close(descriptor)
  }

  package func file(_ name: String) -> String { path + "/" + name }

  /// Says every two seconds that the owner lives; to be called often.
  package func beat(now: Double) {
    guard now - owner.heartbeat >= beatSeconds else { return }
    owner.heartbeat = now
    try? writeRecord(file("lock"))
  }

  /// Leaves the exit status in `exit-status`, where a launcher cannot lose it, and, if the sweep is
  /// over, the file `finished`.
  package func end(with status: ExitStatus) throws(DirectoryError) {
    if status == .complete || status == .someFailed {
      try DurableFile.write("\(status.rawValue)\n", to: file("finished"))
    }
    try DurableFile.write("\(status.rawValue)\n", to: file("exit-status"))
  }

  // MARK: - Ownership

  private func acquire(patienceSeconds: Double, clock: RunClock) throws(DirectoryError) {
    let deadline = clock.now + patienceSeconds
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else {
        throw DirectoryError(errno, at: file("lock"))
      }
      guard clock.now < deadline else {
        throw .inUse(path: path, owner: readRecord()?.description ?? "another run")
      }
      usleep(50_000)
    }
    // The lock is ours; an owner on another host may still live where locks are local to a host.
    guard let former = readRecord(), former.host != owner.host else { return }
    let until = clock.now + 2.5 * beatSeconds
    while clock.now < until {
      guard let latest = readRecord(), latest == former else {
        throw .inUse(path: path, owner: former.description)
      }
      usleep(100_000)
    }
  }

  private func readRecord() -> DirectoryOwner? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    return DirectoryOwner(record: String(decoding: bytes.prefix(count), as: UTF8.self))
  }

  private func writeRecord(_ lockPath: String) throws(DirectoryError) {
    let record = Array(owner.record.utf8)
    guard pwrite(descriptor, record, record.count, 0) == record.count else {
      throw DirectoryError(errno, at: lockPath)
    }
  }

  // MARK: - Files

  /// Writes and removes a file, so that a full or read-only place is known before any training.
  private func probe() throws(DirectoryError) {
    let probe = file("probe.\(getpid()).tmp")
    try DurableFile.create(probe, containing: [UInt8](repeating: 0, count: 1 << 16))
    unlink(probe)
  }

  private func countIncarnation() throws(DirectoryError) {
    let text = try? String(contentsOfFile: file("incarnation"), encoding: .utf8)
    let former = text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 0
    incarnation = former + 1
    try DurableFile.write("\(incarnation)\n", to: file("incarnation"))
  }

  private func remove(_ name: String) throws(DirectoryError) {
    guard unlink(file(name)) == 0 || errno == ENOENT else {
      throw DirectoryError(errno, at: file(name))
    }
  }
}
