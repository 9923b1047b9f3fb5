/// A language of the FLaRe benchmark.
package enum FlareLanguage: String, Codable, CaseIterable, Sendable {
  case binaryAddition = "binary_addition"
  case binaryMultiplication = "binary_multiplication"
  case bucketSort = "bucket_sort"
  case computeSqrt = "compute_sqrt"
  case cycleNavigation = "cycle_navigation"
  case dyck23 = "dyck_2_3"
  case evenPairs = "even_pairs"
  case first, majority
  case markedCopy = "marked_copy"
  case markedReversal = "marked_reversal"
  case missingDuplicateString = "missing_duplicate_string"
  case modularArithmeticSimple = "modular_arithmetic_simple"
  case oddsFirst = "odds_first"
  case parity
  case repeat01 = "repeat_01"
  case stackManipulation = "stack_manipulation"
  case unmarkedReversal = "unmarked_reversal"
}

/// The published strings of FLaRe: Butoi, Khalighinejad, Svete, Valvoda, Cotterell and DuSell,
/// "Training Neural Networks as Recognizers of Formal Languages", ICLR 2025.
package struct FlareArchive {
  /// Where the file comes from.
  package static let source =
    "FLaRe is distributed with github.com/rycolab/flare; docs/tasks.md says how it is packed"

  /// The file within the data folder.
  package static let file = "flare/flare-core.tar.zst"

  /// XXH3-128 of the published archive, unpacked.
  package static let digest = "66e4c1e312b55a434eef241e48931fef"

  private let archive: TarArchive
  private let path: String

  /// Reads the archive from `folder` and checks that it is the published one.
  package init(from folder: DataFolder) throws(TaskError) {
    let file = DataFile(name: Self.file, source: Self.source)
    path = try file.path(in: folder)
    let compressed = try file.bytes(in: folder)
    let bytes: [UInt8]
    do throws(ByteStreamError) {
      bytes = try Compression.zstandard.unpacked(compressed)
    } catch {
      throw error.error(of: path, source: Self.source)
    }
    let found = contentDigest(bytes)
    guard found == Self.digest else {
      throw .alteredFile(
        path: path, found: "\(bytes.count) bytes, digest \(found)",
        expected: "digest \(Self.digest)", source: Self.source)
    }
    guard let archive = TarArchive(bytes) else {
      throw .damagedFile(path: path, problem: "it is no tar archive", source: Self.source)
    }
    self.archive = archive
  }

  /// The strings of one language.
  package func strings(of language: FlareLanguage) throws(TaskError) -> FlareData {
    var data = FlareData()
    for set in FlareData.SetName.allCases {
      let folder = "flare/" + language.rawValue.replacing("_", with: "-") + set.folder
      guard let tokens = archive[folder + "main.tok"], let labels = archive[folder + "labels.txt"]
      else {
        // Two languages lack one of their test sets.
        guard set == .testShort || set == .testLong else {
          throw .damagedFile(
            path: path, problem: "it lacks \(folder)main.tok or labels.txt", source: Self.source)
        }
        continue
      }
      guard data.append(tokens, labels, to: set) else {
        throw .damagedFile(
          path: path, problem: "\(folder)labels.txt does not label main.tok",
          source: Self.source)
      }
    }
    data.nameTokens()
    return data
  }
}

/// Labelled strings of a language, as token numbers.
package struct FlareData {
  package enum SetName: String, CaseIterable, Sendable {
    case train
    case validationShort = "validation-short"
    case validationLong = "validation-long"
    case testShort = "test-short-held-out"
    case testLong = "test"

    fileprivate var folder: String { self == .train ? "/" : "/datasets/\(rawValue)/" }
  }

  /// Strings of one set: string i is tokens[starts[i] ..< starts[i + 1]].
  package struct Strings {
    package fileprivate(set) var tokens: [Int32] = []
    package fileprivate(set) var starts: [Int32] = [0]
    /// 1 for strings of the language, 0 for others.
    package fileprivate(set) var labels: [Int32] = []

    package var count: Int { labels.count }
    package func length(of string: Int) -> Int { Int(starts[string + 1] - starts[string]) }
    package var lengths: [Int32] { (0..<count).map { Int32(length(of: $0)) } }
  }

  /// The tokens of the language's strings, in ascending order of their text once all are read.
  package private(set) var vocabulary: [String] = []
  private var sets: [SetName: Strings] = [:]
  private var numbers: [String: Int32] = [:]

  package init() {}

  package subscript(set: SetName) -> Strings { sets[set] ?? Strings() }

  /// Adds the lines of a file of tokens and of one of labels; false where they do not fit.
  package mutating func append(
    _ text: ArraySlice<UInt8>, _ labels: ArraySlice<UInt8>, to set: SetName
  ) -> Bool {
    var strings = Strings()
    for line in Self.lines(text) {
      for word in line.split(separator: UInt8(ascii: " ")) {
        strings.tokens.append(number(String(decoding: word, as: UTF8.self)))
      }
      strings.starts.append(Int32(strings.tokens.count))
    }
    for line in Self.lines(labels) {
      guard line.count == 1, let digit = line.first, 48...49 ~= digit else { return false }
      strings.labels.append(Int32(digit - 48))
    }
    sets[set] = strings
    return strings.starts.count == strings.labels.count + 1
  }

  private mutating func number(_ token: String) -> Int32 {
    if let known = numbers[token] { return known }
    numbers[token] = Int32(vocabulary.count)
    vocabulary.append(token)
    return Int32(vocabulary.count - 1)
  }

  /// Numbers the tokens in ascending order of their text.
  package mutating func nameTokens() {
    let sorted = vocabulary.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let places = vocabulary.map { Int32(sorted.firstIndex(of: $0) ?? 0) }
    sets = sets.mapValues { strings in
      var renamed = strings
      renamed.tokens = strings.tokens.map { places[Int($0)] }
      return renamed
    }
    vocabulary = sorted
    numbers = [:]
  }

  /// Whole lines, empty ones too.
  private static func lines(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    let newline = UInt8(ascii: "\n")
    return text.split(separator: newline, omittingEmptySubsequences: false)
      .dropLast(text.last == newline ? 1 : 0)
  }
}
