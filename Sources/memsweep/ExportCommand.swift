import ArgumentParser
import Foundation
import MemoryNets
import Sweeps

/// Writes results as CSV or JSON, or a checkpoint's weights as safetensors.
struct Export: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case csv, json, safetensors
  }

  static let configuration = CommandConfiguration(
    abstract: "Writes the results of a folder, or the weights of a checkpoint, for other programs.")

  @Argument(help: "The output folder, or a checkpoint for safetensors.")
  var path: String

  @Option(help: "csv, json or safetensors.")
  var format: Format?

  @Flag(help: "Adds what depends on the run: seconds, times, host, rank, attempt.")
  var timings = false

  @Option(help: "The file to write; without it, standard output.")
  var output: String?

  @Flag(help: "JSON in one line.")
  var json = false

  func run() throws {
    let file = try destination()
    defer { try? file.close() }
    let format = format ?? (json ? .json : .csv)
    switch format {
    case .safetensors:
      let bytes = try Data(contentsOf: checkpointFile())
      let checkpoint = try Checkpoint(decoding: Array(bytes), path: path)
      try file.write(contentsOf: Data(try Safetensors.encode(checkpoint, path: path)))
    case .csv:
      let reader = try ResultReader(directory: path)
      try reader.export(.csv, timings: timings) { try file.write(contentsOf: Data($0.utf8)) }
    case .json:
      let reader = try ResultReader(directory: path)
      var text = ""
      try reader.export(.json, timings: timings) { piece in
        let piece = json ? piece.filter { $0 != "\n" } : piece
        text += piece
        guard text.utf8.count > 1 << 16 else { return }
        try file.write(contentsOf: Data(text.utf8))
        text = ""
      }
      try file.write(contentsOf: Data((json ? text + "\n" : text).utf8))
    }
  }

  private func checkpointFile() throws -> URL {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw Failure("\(path): there is no such checkpoint", .badInput)
    }
    guard !isFolder.boolValue else {
      throw Failure("\(path): is a folder; name one of the checkpoints in it", .badInput)
    }
    return URL(fileURLWithPath: path)
  }

  private func destination() throws -> FileHandle {
    guard let output else { return .standardOutput }
    guard FileManager.default.createFile(atPath: output, contents: nil),
      let handle = FileHandle(forWritingAtPath: output)
    else { throw Failure("\(output): cannot be written; name another file", .badInput) }
    return handle
  }
}
