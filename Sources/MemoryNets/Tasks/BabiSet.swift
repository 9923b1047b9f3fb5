import Foundation

/// A size of the bAbI question answering tasks, version 1.2, in English.
package enum BabiSet: String, Codable, CaseIterable, Sendable {
  /// 1000 questions of every task to train on.
  case en
  /// 10000 questions of every task but task 3.
  case en10k = "en_10k"

  /// Where the files come from.
  package static let source =
    "the bAbI tasks of Weston et al. 2015, version 1.2, as a Zstandard tar of their folders en and "
    + "en-10k; docs/tasks.md says how it is made"

  static let file = DataFile(name: "babi/babi-en-en10k.tar.zst", source: source)

  var folder: String { self == .en ? "en" : "en-10k" }

  /// XXH3-128 of the files one after the other: of each task the training file, then the test file.
  package var digest: String {
    switch self {
    case .en: "9d0d8159b204a3e30eb4cb4b3aedd854"
    case .en10k: "6b951eaa10cea9e52adca3958d583d3f"
    }
  }

  /// The tasks of which both files are there.
  var tasks: [Int] { (1...20).filter { self == .en || $0 != 3 } }

  /// Reads the set and checks that its contents are the published ones.
  package func read(from folder: DataFolder) throws(TaskError) -> BabiStories {
    let path = try Self.file.path(in: folder)
    let packed = try Self.file.bytes(in: folder)
    func damaged(_ problem: String) -> TaskError {
      .damagedFile(path: path, problem: problem, source: Self.source)
    }
    let archive: [UInt8]
    do throws(ByteStreamError) {
      archive = try Compression.zstandard.unpacked(packed)
    } catch {
      throw error.error(of: path, source: Self.source)
    }
    guard let files = TarArchive(archive) else { throw damaged("it is no tar archive") }
    var (training, testing): ([BabiStories.File], [BabiStories.File]) = ([], [])
    var all: [UInt8] = []
    for task in tasks {
      func file(_ kind: String) -> ArraySlice<UInt8>? {
        files.files.keys.first {
          $0.hasPrefix("\(self.folder)/qa\(task)_") && $0.hasSuffix("_\(kind).txt")
        }.flatMap { files[$0] }
      }
      guard let train = file("train"), let test = file("test") else {
        throw damaged("it lacks a file of task \(task) in \(self.folder)")
      }
      training.append((task, train))
      testing.append((task, test))
      all += train + test
    }
    let found = contentDigest(all)
    guard found == digest else {
      throw .alteredFile(
        path: path, found: "\(all.count) bytes in \(self.folder), digest \(found)",
        expected: "digest \(digest)", source: Self.source)
    }
    return BabiStories(training: training, testing: testing, digest: digest)
  }
}
