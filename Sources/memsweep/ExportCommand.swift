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

  @Flag(help: "Every evaluation of every trial, of those under way too, instead of the last ones.")
  var curves = false

  @Option(help: "The file to write; without it, standard output.")
  var output: String?

  @Flag(help: "JSON in one line.")
  var json = false

  func validate() throws {
    guard curves else { return }
    if format == .safetensors {
      throw ValidationError("--curves: a checkpoint's weights have none; leave it out, or name csv")
    }
    if timings { throw ValidationError("--curves has no --timings; leave one of them out") }
  }

  func run() throws {
    let file = try destination()
    defer { try? file.close() }
    let format = format ?? (json ? .json : .csv)
    if format == .safetensors {
      let bytes = try Data(contentsOf: checkpointFile())
      let checkpoint = try Checkpoint(decoding: Array(bytes), path: path)
      try file.write(contentsOf: Data(try Safetensors.encode(checkpoint, path: path)))
      return
    }
    let reader = try ResultReader(directory: path)
    let isOneLine = json && format == .json
    var text = ""
    func write(_ piece: String) throws {
      text += isOneLine ? piece.filter { $0 != "\n" } : piece
      guard text.utf8.count > 1 << 16 else { return }
      try file.write(contentsOf: Data(text.utf8))
      text = ""
    }
    let form: ExportFormat = format == .csv ? .csv : .json
    if curves {
      try reader.exportCurves(
        form, unfinished: UnfinishedTrial.all(in: path, reader), to: write)
    } else {
      try reader.export(form, timings: timings, to: write)
    }
    try file.write(contentsOf: Data((isOneLine ? text + "\n" : text).utf8))
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
