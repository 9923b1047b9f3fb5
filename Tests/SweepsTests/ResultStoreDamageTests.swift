import Foundation
import GRDB
import MemoryNets
import Sweeps
import Testing

@Suite struct ResultStoreDamageTests {
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  /// The kind of error that reading and writing give, or nil if both succeed.
  private func errorKind(_ folder: ScratchFolder) -> StoreError.Kind? {
    func kind(_ body: () throws -> Void) -> StoreError.Kind? {
      do {
        try body()
        return nil
      } catch let error as StoreError {
        return error.kind
      } catch {
        Issue.record("not a StoreError: \(error)")
        return nil
      }
    }
    let reading = kind { _ = try ResultReader(directory: folder.path) }
    let writing = kind { _ = try Made.store(folder) }
    if reading != .missing { #expect(reading == writing) }
    return reading
  }

  @Test func aFolderWithoutAStoreIsNamed() throws {
    #expect(throws: StoreError.self) { try ResultReader(directory: folder.path) }
    do {
      _ = try ResultReader(directory: folder.path)
    } catch let error as StoreError {
      #expect(error.kind == .missing)
      #expect(error.description.hasPrefix(folder.path + "/results.sqlite: there is no result"))
    }
  }

  @Test func anotherVersionIsRefusedAndLeftAlone() throws {
    try Made.store(folder).close()
    let queue = try DatabaseQueue(path: folder.file(StoreFile.name))
    try queue.write { try $0.execute(sql: "PRAGMA user_version = 2") }
    try queue.close()
    let before = try folder.bytes(StoreFile.name)
    #expect(errorKind(folder) == .otherVersion)
    #expect(try folder.bytes(StoreFile.name) == before)
  }

  @Test func filesOfOthersAreRefusedAndLeftAlone() throws {
    try folder.write(Array("These are my notes, not a database.\n".utf8), to: StoreFile.name)
    #expect(errorKind(folder) == .foreign)
    #expect(try folder.bytes(StoreFile.name).count == 36)
    try FileManager.default.removeItem(atPath: folder.file(StoreFile.name))
    let queue = try DatabaseQueue(path: folder.file(StoreFile.name))
    try queue.write { try $0.execute(sql: "CREATE TABLE notes (text TEXT)") }
    try queue.close()
    #expect(errorKind(folder) == .foreign)
  }

  @Test func anOutputFolderThatIsAFileIsRefused() throws {
    try folder.write([1], to: "file")
    #expect(throws: StoreError.self) {
      try ResultStore(directory: folder.file("file"), sweep: Made.sweep()) { _ in "" }
    }
    try FileManager.default.createDirectory(
      atPath: folder.file(StoreFile.name), withIntermediateDirectories: false)
    #expect(errorKind(folder) == .inaccessible)
  }

  @Test func aStoreCutToNothingIsNotTakenForANewOne() throws {
    try Made.store(folder).close()
    try folder.write([], to: StoreFile.name)
    #expect(errorKind(folder) != nil)
  }

  @Test func aCutStoreIsRefused() throws {
    let store = try Made.store(folder)
    try Made.fill(store)
    try store.close()
    let bytes = try folder.bytes(StoreFile.name)
    for length in stride(from: 1, to: bytes.count, by: 1531) {
      try folder.write(Array(bytes[..<length]), to: StoreFile.name)
      #expect(errorKind(folder) != nil, "cut to \(length) of \(bytes.count) bytes")
    }
  }

  @Test func aFlippedBitIsFoundOrDoesNotMatter() throws {
    let store = try Made.store(folder)
    try Made.fill(store)
    try store.close()
    let bytes = try folder.bytes(StoreFile.name)
    let whole = try contents(folder)
    var found = 0
    var tried = 0
    // Every byte of the header and, of the rest, one in 127 so that all places of a page occur.
    let places = Array(0..<100) + Array(stride(from: 100, to: bytes.count, by: 127))
    for (turn, place) in places.enumerated() where bytes[place] != 0 || turn % 8 == 0 {
      var damaged = bytes
      damaged[place] ^= 1 << UInt8(turn % 8)
      let copy = try ScratchFolder()
      try copy.write(damaged, to: StoreFile.name)
      tried += 1
      do {
        let text = try contents(copy)
        #expect(text == whole, "bit \(turn % 8) of byte \(place)")
      } catch is StoreError {
        found += 1
      }
    }
    #expect(found > tried / 4)
  }

  /// All that a report can say of the store in `folder`, or the error that says why not.
  private func contents(_ folder: ScratchFolder) throws -> String {
    let writer = try Made.store(folder)
    let count = writer.count
    try writer.close()
    let reader = try ResultReader(directory: folder.path)
    return try Made.export(reader, .json, timings: true) + Report(Summary(reader)).markdown
      + "\(count)"
  }

  @Test func aCrashKeepsEveryCommitWholeAndNothingElse() throws {
    let store = try Made.store(folder)
    store.append(Made.result(0.1), of: Made.trial(1))
    try store.commit()
    let before = try folder.bytes("results.sqlite-wal").count
    for number in 2..<6 { store.append(Made.result(0.2), of: Made.trial(number)) }

    let uncommitted = try ScratchFolder()
    try folder.copyStore(to: uncommitted)
    #expect(try Made.store(uncommitted).count == 1)

    try store.commit()
    let log = try folder.bytes("results.sqlite-wal")
    #expect(log.count > before)
    // The machine stops while the second commit is on its way to the disk.
    for length in stride(from: before, through: log.count, by: 509) + [log.count] {
      let copy = try ScratchFolder()
      try folder.copyStore(to: copy)
      try copy.write(Array(log[..<length]), to: "results.sqlite-wal")
      let reopened = try Made.store(copy)
      #expect(reopened.count == (length == log.count ? 5 : 1), "\(length) of \(log.count) bytes")
      #expect(try reopened.verify() == [])
    }
  }

  @Test func aHalfMadeStoreIsMadeAgain() throws {
    try folder.write(Array("half".utf8), to: StoreFile.name + ".new")
    let store = try Made.store(folder)
    try Made.fill(store)
    try store.close()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["results.sqlite"])
  }

  @Test func aReadOnlyCopyWithAnUnfinishedJournalIsRead() throws {
    let store = try Made.store(folder)
    try Made.fill(store)
    let copy = try ScratchFolder()
    try folder.copyStore(to: copy)
    // Where nothing may be written; the superuser may, and then SQLite needs no copy.
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: copy.path)
    defer {
      try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: copy.path)
    }
    let reader = try ResultReader(directory: copy.path)
    #expect(try Made.export(reader) == Made.export(try store.reader()))
  }

  @Test func eventsAreLinesAndATornOneIsTakenOff() throws {
    let first = SweepEvent(time: 1.5, kind: "started", detail: "2 \"ranks\"\n")
    let second = SweepEvent(time: 2, kind: "leased", identity: Made.identity(1), rank: 1)
    do {
      let log = try EventLog(directory: folder.path)
      log.append(first)
      try log.flush()
    }
    var bytes = try folder.bytes(EventLog.name)
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == "{\"time\":1.5,\"kind\":\"started\",\"detail\":\"2 \\\"ranks\\\"\\n\"}\n")
    bytes += Array(EventLog.line(second).utf8.prefix(20))
    try folder.write(bytes, to: EventLog.name)
    let store = try Made.store(folder, eventLog: try EventLog(directory: folder.path))
    store.append(second)
    try store.commit()
    let lines = String(decoding: try folder.bytes(EventLog.name), as: UTF8.self)
      .split(separator: "\n")
    #expect(lines.count == 2)
    #expect(
      lines[1]
        == "{\"time\":2.0,\"kind\":\"leased\",\"trial\":\"\(Made.identity(1))\",\"rank\":1}")
  }
}
