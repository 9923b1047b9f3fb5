import ArgumentParser
import Foundation
import MemoryNets

/// Times checkpoints as trials write and read them.
struct BenchCheckpoint: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract: "Times saving a checkpoint durably and going on from it.",
    discussion: """
      A training of the size that fits, an LSTM with Adam, is saved as a trial does it: sorted, \
      compressed, with checksums, written, synchronised with the disk and renamed. Then it is read \
      back, and every byte compared. MB (10^6 bytes) are those of weights and moments.
      """)

  @Option(help: "The size of weights and moments, in MB.") var megabytes = 74.0
  @Option(help: "trained: the numbers of a training; normal: all normally distributed.")
  var contents = CheckpointBenchmark.Contents.trained
  @Option(help: "The folder to write into; without it, a temporary one.") var directory: String?
  @Option(help: "How many times it is saved and restored; at least 10.") var repetitions = 20
  @Flag(help: "Prints one JSON object instead of text.") var json = false

  func validate() throws {
    guard megabytes > 0, megabytes <= 100_000 else {
      throw ValidationError("--megabytes is \(megabytes); a number above 0 is needed")
    }
    guard repetitions >= 10 else {
      throw ValidationError("--repetitions is \(repetitions); at least 10 are needed")
    }
  }

  func run() throws {
    let benchmark = try CheckpointBenchmark(bytes: Int(megabytes * 1e6), contents: contents)
    let folder = (directory ?? NSTemporaryDirectory()) + "/memsweep-checkpoint-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let outcome = try benchmark.measure(directory: folder, repetitions: repetitions)
    guard outcome.isVerified else {
      throw Failure("what was read is not what was written", .internalError)
    }
    let size = Double(outcome.contentBytes) * 1e-6
    let line = Line(
      megabytes: size.rounded(places: 1), fileMegabytes: Double(outcome.fileBytes) * 1e-6,
      ratioOfSizes: (Double(outcome.fileBytes) / Double(outcome.contentBytes)).rounded(places: 4),
      parameters: benchmark.parameterCount, contents: contents.rawValue,
      save: Rate(size, outcome.save), restore: Rate(size, outcome.restore),
      isVerified: outcome.isVerified)
    guard !json else { return try printJSON(line) }
    print(
      """
      \(line.megabytes) MB, \(line.fileMegabytes.rounded(places: 1)) MB in the file \
      (\((line.ratioOfSizes * 100).rounded(places: 1)) %), verified
      save:    \(line.save.text)
      restore: \(line.restore.text)
      """)
  }

  /// MB a second of one direction.
  private struct Rate: Encodable {
    let megabytesPerSecond: Double
    let megabytesPerSecondMinimum: Double
    let megabytesPerSecondMaximum: Double
    let milliseconds: Double

    init(_ megabytes: Double, _ timings: Timings) {
      megabytesPerSecond = (megabytes / timings.median).rounded(places: 1)
      megabytesPerSecondMinimum = (megabytes / timings.maximum).rounded(places: 1)
      megabytesPerSecondMaximum = (megabytes / timings.minimum).rounded(places: 1)
      milliseconds = (timings.median * 1e3).rounded(places: 2)
    }

    var text: String {
      "\(Int(megabytesPerSecond)) MB/s (\(Int(megabytesPerSecondMinimum)) to "
        + "\(Int(megabytesPerSecondMaximum)))"
    }
  }

  private struct Line: Encodable {
    let megabytes: Double
    let fileMegabytes: Double
    let ratioOfSizes: Double
    let parameters: Int
    let contents: String
    let save: Rate
    let restore: Rate
    let isVerified: Bool
  }
}

extension CheckpointBenchmark.Contents: ExpressibleByArgument {}
