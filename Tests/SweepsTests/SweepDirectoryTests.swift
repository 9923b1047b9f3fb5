import Foundation
import Sweeps
import Testing

@Suite struct SweepDirectoryTests {
  /// A place of its own for each test, removed at its end.
  private func withPlace(_ body: (String) throws -> Void) throws {
    let place = NSTemporaryDirectory() + "memsweep-directory-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: place) }
    try body(place)
  }

  private func text(_ path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }

  @Test func itIsCreatedWithItsParents() throws {
    try withPlace { place in
      let directory = try SweepDirectory(path: place + "/runs/wtt")
      #expect(directory.incarnation == 1)
      #expect(FileManager.default.fileExists(atPath: place + "/runs/wtt/lock"))
      let names = try FileManager.default.contentsOfDirectory(atPath: place + "/runs/wtt")
      #expect(Set(names) == ["lock", "incarnation"])
    }
  }

  @Test func everyStartIsAnIncarnation() throws {
    try withPlace { place in
      for incarnation in 1...3 {
        let directory = try SweepDirectory(path: place)
        #expect(directory.incarnation == incarnation)
      }
    }
  }

  @Test func aLivingOwnerIsNamed() throws {
    try withPlace { place in
      let owner = try SweepDirectory(path: place)
      let refusal = #expect(throws: DirectoryError.self) {
        try SweepDirectory(path: place, patienceSeconds: 0)
      }
      #expect(refusal?.description.contains("in use by process \(getpid()) on ") == true)
      withExtendedLifetime(owner) {}
    }
  }

  @Test func aDirectoryWhoseOwnerHasEndedIsTakenOver() throws {
    try withPlace { place in
      _ = try SweepDirectory(path: place)
      #expect(throws: Never.self) { try SweepDirectory(path: place, patienceSeconds: 0) }
    }
  }

  @Test func theRecordOfADeadOwnerOfThisHostDoesNotHold() throws {
    try withPlace { place in
      _ = try SweepDirectory(path: place)
      let host = ProcessInfo.processInfo.hostName
      try "host \(host)\npid 1\nstarted 5.0\nheartbeat 6.0\n".write(
        toFile: place + "/lock", atomically: false, encoding: .utf8)
      #expect(throws: Never.self) { try SweepDirectory(path: place, patienceSeconds: 0) }
    }
  }

  @Test func theExitStatusIsLeftAndOnlyAFinishedSweepIsMarked() throws {
    try withPlace { place in
      for (status, isFinished) in [
        (ExitStatus.interrupted, false), (.complete, true), (.directoryUnusable, false),
        (.someFailed, true),
      ] {
        let directory = try SweepDirectory(path: place)
        #expect(text(directory.file("exit-status")) == nil, "an old status would mislead")
        #expect(text(directory.file("finished")) == nil)
        try directory.end(with: status)
        #expect(text(directory.file("exit-status")) == "\(status.rawValue)\n")
        #expect((text(directory.file("finished")) != nil) == isFinished)
      }
    }
  }

  @Test func aFileInTheWayIsNamed() throws {
    try withPlace { place in
      try "".write(toFile: place, atomically: false, encoding: .utf8)
      let refusal = #expect(throws: DirectoryError.self) { try SweepDirectory(path: place) }
      #expect(refusal?.description.hasPrefix(place) == true)
      #expect(refusal?.description.contains("output.directory") == true)
    }
  }

  @Test func theHeartbeatGoesOnInTheRecord() throws {
    try withPlace { place in
      let directory = try SweepDirectory(path: place)
      directory.beat(now: 4e9)
      #expect(text(place + "/lock")?.contains("heartbeat 4000000000.0\n") == true)
      directory.beat(now: 4e9 + 1)
      #expect(text(place + "/lock")?.contains("heartbeat 4000000000.0\n") == true)
      directory.beat(now: 4e9 + 2)
      #expect(text(place + "/lock")?.contains("heartbeat 4000000002.0\n") == true)
    }
  }

  @Test func aReplacedFileHoldsTheNewTextAlone() throws {
    try withPlace { place in
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      try DurableFile.write("a long first text", to: place + "/file")
      try DurableFile.write("short", to: place + "/file")
      #expect(text(place + "/file") == "short")
      #expect(try FileManager.default.contentsOfDirectory(atPath: place) == ["file"])
    }
  }
}
