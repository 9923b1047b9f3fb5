import Foundation
import MemoryNets
import TestSupport
import Testing

@Suite struct TextFilesTests {
  /// Notes every text with its name.
  private struct Collector: TextVisitor {
    var texts: [(name: String, bytes: [UInt8])] = []
    mutating func begin(_ name: String) { texts.append((name, [])) }
    mutating func take(_ bytes: UnsafeRawBufferPointer) { texts[texts.count - 1].bytes += bytes }
    mutating func end() {}
  }

  private func texts(_ arguments: [String]) throws -> [(name: String, text: String)] {
    var collector = Collector()
    try TextFiles(arguments).read(&collector)
    return collector.texts.map { ($0.name, String(decoding: $0.bytes, as: UTF8.self)) }
  }

  /// Packed by other programs: `hello\n` twice by gzip, in two members; `hello\n` by zstd.
  private let gzip = "H4sIAAAAAAAAA8tIzcnJ5wIAIDA6NgYAAAAfiwgAAAAAAAADy0jNycnnAgAgMDo2BgAAAA=="
  private let zstandard = "KLUv/QBYMQAAaGVsbG8K"

  private func bytes(_ base64: String) throws -> [UInt8] {
    [UInt8](try #require(Data(base64Encoded: base64)))
  }

  /// A header of a tar archive with its file.
  private func entry(_ name: String, _ contents: String, kind: Character = "0") -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    header.replaceSubrange(0..<name.utf8.count, with: Array(name.utf8))
    let size = String(contents.utf8.count, radix: 8)
    let digits = Array((String(repeating: "0", count: 11 - size.count) + size).utf8)
    header.replaceSubrange(124..<135, with: digits)
    header[156] = kind.asciiValue ?? 48
    let padding = (512 - contents.utf8.count % 512) % 512
    return header + Array(contents.utf8) + [UInt8](repeating: 0, count: padding)
  }

  @Test func aFolderGivesItsTextsInOrderPackedOrNot() throws {
    let folder = try TestSupport.TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path("b"), withIntermediateDirectories: true)
    func write(_ name: String, _ bytes: [UInt8]) throws {
      try Data(bytes).write(to: URL(fileURLWithPath: folder.path(name)))
    }
    try write("c.MD", Array("third".utf8))
    try write("a.txt.gz", try bytes(gzip))
    try write("b/x.markdown.zst", try bytes(zstandard))
    try write("b/.hidden.txt", Array("no".utf8))
    try write("ignored.png", Array("no".utf8))
    let archive =
      entry("in/one.txt", "one\n") + entry("in", "", kind: "5")
      + entry("in/image.png", "no") + entry("in/two.md", String(repeating: "two ", count: 400))
    try write("d.tar", archive + [UInt8](repeating: 0, count: 1024))
    let found = try texts([folder.path])
    #expect(
      found.map { String($0.name.dropFirst(folder.path.count + 1)) } == [
        "a.txt.gz", "b/x.markdown.zst", "c.MD", "d.tar/in/one.txt", "d.tar/in/two.md",
      ])
    #expect(
      found.map(\.text) == [
        "hello\nhello\n", "hello\n", "third", "one\n", String(repeating: "two ", count: 400),
      ])
  }

  @Test func aFileThatIsNamedMayEndWithAnything() throws {
    let folder = try TestSupport.TemporaryFolder()
    let path = try folder.write("words", to: "novel")
    #expect(try texts([path]).map(\.text) == ["words"])
  }

  @Test func whatIsMissingOrEmptyIsNamed() throws {
    let folder = try TestSupport.TemporaryFolder()
    #expect {
      _ = try TextFiles([folder.path("nothing.txt")])
    } throws: { "\($0)".contains("nothing.txt: there is no such file or folder; name files") }
    #expect {
      _ = try TextFiles([folder.path])
    } throws: { "\($0)".contains("holds no file that ends with .txt") }
  }

  @Test(arguments: ["a.txt.gz", "a.txt.zst"])
  func aCutFileIsNamed(name: String) throws {
    let folder = try TestSupport.TemporaryFolder()
    let path = folder.path(name)
    let whole = try bytes(name.hasSuffix("gz") ? gzip : zstandard)
    // Where the first of two members has ended the file is whole.
    for length in 0..<whole.count where !(name.hasSuffix("gz") && length == whole.count / 2) {
      try Data(whole[..<length]).write(to: URL(fileURLWithPath: path))
      #expect("\(length)") {
        _ = try texts([path])
      } throws: { "\($0)".hasPrefix("\(path): is damaged: ") }
    }
  }

  @Test func anArchiveThatEndsWithinAFileIsNamed() throws {
    let folder = try TestSupport.TemporaryFolder()
    let path = folder.path("a.tar")
    let archive = entry("one.txt", String(repeating: "x", count: 700))
    try Data(archive[..<900]).write(to: URL(fileURLWithPath: path))
    #expect {
      _ = try texts([path])
    } throws: { "\($0)".hasPrefix("\(path): is damaged: it ends within a file") }
    try Data(archive[..<300]).write(to: URL(fileURLWithPath: path))
    #expect {
      _ = try texts([path])
    } throws: { "\($0)".hasPrefix("\(path): is damaged: it is no whole tar archive") }
  }

  @Test(.enabled(if: RealData.isExpected, "\(RealData.skipReason)"))
  func theBooksHaveTheirKnownNumberOfWords() throws {
    struct Counter: TextVisitor {
      var words = 0
      var texts = 0
      var isWithin = false
      mutating func begin(_ name: String) { (texts, isWithin) = (texts + 1, false) }
      mutating func take(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
          let isSpace = byte == 32 || 9...13 ~= byte
          if !isSpace && !isWithin { words += 1 }
          isWithin = !isSpace
        }
      }
      mutating func end() {}
    }
    let folder = try RealData.folder() + "/books"
    var counter = Counter()
    try TextFiles([folder]).read(&counter)
    let manifest = try String(contentsOfFile: folder + "/MANIFEST.tsv", encoding: .utf8)
    let lines: [Substring] = manifest.split(separator: "\n").dropFirst().map { $0 }
    let rows: [[Substring]] = lines.map { $0.split(separator: "\t") }
      .filter { $0[0] == "0" || $0[0] == "1" }
    #expect(counter.texts == rows.count)
    // The list counts white space beyond ASCII, too.
    let stated: Int = rows.reduce(0) { $0 + (Int($1[3]) ?? 0) }
    #expect(abs(counter.words - stated) * 1000 < stated)
  }
}
