import Foundation
import MemoryNets
import Testing

@Suite struct CheckpointFolderTests {
  private func folder(
    _ root: TemporaryFolder, _ fileSystem: any FileSystem = DiskFileSystem()
  ) -> CheckpointFolder {
    CheckpointFolder(root: root.path, identity: CheckpointTests.identity, fileSystem: fileSystem)
  }

  private func files(_ folder: CheckpointFolder) throws -> [String] {
    try DiskFileSystem().names(in: folder.path)
  }

  @Test func theLastTwoStepsAreKept() throws {
    let root = try TemporaryFolder()
    let folder = folder(root)
    #expect(folder.latest().checkpoint == nil)
    #expect(folder.latest().notices == [])
    for step in [5, 90, 100, 1000] {
      try folder.save(CheckpointTests.checkpoint(step: step))
    }
    #expect(try files(folder) == ["step-100.ckpt", "step-1000.ckpt"])
    CheckpointTests.expectEqual(
      try #require(folder.latest().checkpoint), CheckpointTests.checkpoint(step: 1000))
  }

  @Test func aFinishedTrialKeepsWhatItIsTold() throws {
    let root = try TemporaryFolder()
    let folder = folder(root)
    for step in 1...3 { try folder.save(CheckpointTests.checkpoint(step: step)) }
    try folder.saveBest(CheckpointTests.checkpoint(step: 2))
    try folder.saveFinal(CheckpointTests.checkpoint(step: 3))
    try Data().write(to: URL(fileURLWithPath: folder.path + "/step-4.ckpt.1f.partial"))
    folder.removeSteps(exceptLast: 1)
    #expect(try files(folder) == ["best.ckpt", "final.ckpt", "step-3.ckpt"])
    folder.removeSteps(exceptLast: 0)
    #expect(try files(folder) == ["best.ckpt", "final.ckpt"])
  }

  @Test func aDamagedCheckpointFallsBackToTheOneBeforeAndSaysSo() throws {
    let root = try TemporaryFolder()
    let folder = folder(root)
    try folder.save(CheckpointTests.checkpoint(step: 1))
    try folder.save(CheckpointTests.checkpoint(step: 2))
    var bytes = try DiskFileSystem().read(folder.path(step: 2))
    bytes[bytes.count / 2] ^= 4
    try Data(bytes).write(to: URL(fileURLWithPath: folder.path(step: 2)))
    let (checkpoint, notices) = folder.latest()
    #expect(checkpoint?.step == 1)
    #expect(notices.count == 1)
    #expect(notices.first?.hasPrefix(folder.path(step: 2) + ": damaged: ") == true)

    // The damaged one does not push a whole one out.
    try folder.save(CheckpointTests.checkpoint(step: 2))
    #expect(try folder.steps() == [1, 2])
    try Data().write(to: URL(fileURLWithPath: folder.path(step: 9)))
    try folder.save(CheckpointTests.checkpoint(step: 3))
    #expect(try folder.steps() == [2, 3])
  }

  @Test func aCheckpointOfAnotherTrialIsNotTaken() throws {
    let root = try TemporaryFolder()
    let folder = folder(root)
    let other = CheckpointTests.checkpoint(
      step: 3, identity: String(repeating: "a", count: 32))
    try DiskFileSystem().createDirectory(folder.path)
    try DiskFileSystem().replace(folder.path(step: 3), with: other.encoded())
    #expect(folder.latest().checkpoint == nil)
    #expect(folder.latest().notices.count == 1)
  }

  /// Fails the n-th operation on files for every n until a run meets no failure.
  @Test func whicheverOperationFailsACheckpointIsLeft() throws {
    var failing = 0
    var failed: Set<String> = []
    while true {
      let root = try TemporaryFolder()
      try folder(root).save(CheckpointTests.checkpoint(step: 1))
      let disk = FaultyFileSystem(failing: failing)
      let folder = folder(root, disk)
      var error: CheckpointError?
      do { try folder.save(CheckpointTests.checkpoint(step: 2)) } catch let caught {
        error = caught
      }
      let (found, notices) = self.folder(root).latest()
      let checkpoint = try #require(found, "operation \(failing)")
      #expect(notices == [], "operation \(failing)")
      CheckpointTests.expectEqual(
        checkpoint, CheckpointTests.checkpoint(step: checkpoint.step))
      if error == nil { #expect(checkpoint.step == 2) }
      if case .unwritable(let what)? = error { failed.insert(what.operation) }
      if !disk.hasFailed { break }
      failing += 1
    }
    #expect(failed == ["opendir", "create", "write", "fsync", "rename", "open"])
    #expect(failing >= 9)
  }

  @Test func aFirstCheckpointIsThereWithItsFoldersOrNotAtAll() throws {
    var failing = 0
    while true {
      let root = try TemporaryFolder()
      let disk = FaultyFileSystem(failing: failing)
      var isSaved = false
      do {
        try folder(root, disk).save(CheckpointTests.checkpoint(step: 1))
        isSaved = true
      } catch {}
      let (found, notices) = folder(root).latest()
      #expect(notices == [], "operation \(failing)")
      #expect(found?.step == 1 || !isSaved, "operation \(failing)")
      if !disk.hasFailed {
        // The file, its folder and two folders above it.
        #expect(disk.operations.filter { $0 == "fsync" }.count == 4)
        break
      }
      failing += 1
    }
    #expect(failing > 10)
  }

  @Test func whicheverReadFailsTheOneBeforeIsTaken() throws {
    let root = try TemporaryFolder()
    for step in 1...2 { try folder(root).save(CheckpointTests.checkpoint(step: step)) }
    let outcomes: [(Int?, Int)] = (0..<3).map { failing in
      let (checkpoint, notices) = folder(root, FaultyFileSystem(failing: failing)).latest()
      return (checkpoint?.step, notices.count)
    }
    #expect(outcomes.map(\.0) == [nil, 1, 2])
    #expect(outcomes.map(\.1) == [1, 1, 0])
  }
}
