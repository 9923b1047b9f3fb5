import ArgumentParser
import Foundation
import MemoryNets
import Sweeps

/// Prints text that a language model writes.
struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints text that a trained language model writes.",
    discussion: "The same seed gives the same text.")

  @Argument(help: "A checkpoint in the output folder of its sweep.")
  var checkpoint: String

  @Option(help: "Tokens: words or characters.")
  var length = 200

  @Option(help: "Below 1 it keeps to what is likely; 0 always takes the most likely.")
  var temperature = 1.0

  @Option(help: "Another seed gives another text.")
  var seed = 1

  @Option(help: "Text that it goes on from.")
  var prompt = ""

  @Option(help: "The folder of data sets; without it, MEMSWEEP_DATA.")
  var data: String?

  func validate() throws {
    guard length >= 1 else {
      throw ValidationError("--length is \(length); at least 1 is needed")
    }
    guard temperature >= 0, temperature.isFinite else {
      throw ValidationError("--temperature is \(temperature); 0 or a number above 0 is needed")
    }
  }

  func run() throws {
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    let assembly = TrialAssembly(data: .fromEnvironment(argument: data)) {
      try decodeOptions($0, from: $1)
    }
    let text = try ProbedCheckpoint(path: checkpoint).sample(
      assembly, length: length, temperature: temperature,
      seed: UInt64(bitPattern: Int64(seed)), prompt: prompt)
    Terminal.answer(text.hasSuffix("\n") ? text : text + "\n")
  }
}
