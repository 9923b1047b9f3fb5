import ArgumentParser
import Foundation
import MemoryNets
import Sweeps

/// Evaluates trained nets.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Evaluates a trained net, on its own data or on another corpus.",
    discussion: """
      A language model's cross-entropy (loss, in nats a token) and perplexity. Another corpus must \
      number the same words: memsweep data prepare --vocabulary makes it so.
      """)

  @Argument(help: "A checkpoint in the output folder of its sweep.")
  var checkpoint: String

  @Option(help: "The part of the data: train, validation or test.")
  var split = DataSplit.test

  @Option(help: "A corpus instead of the one that the net was trained on.")
  var corpus: String?

  @Option(help: "The folder of data sets; without it, MEMSWEEP_DATA.")
  var data: String?

  @Flag(help: "One line of JSON.")
  var json = false

  func run() throws {
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    let assembly = TrialAssembly(data: .fromEnvironment(argument: data)) {
      try decodeOptions($0, from: $1)
    }
    let net = try ProbedCheckpoint(path: checkpoint)
    let task = try net.task(assembly, corpus: corpus.map { URL(fileURLWithPath: $0).path })
    let (metrics, answers) = try net.metrics(assembly, on: task, split: split)
    if json {
      let numbers = metrics.map { ($0.name, JSONValue.number($0.value)) }
      Terminal.answer(
        json: .object([
          "checkpoint": .string(checkpoint), "trial": .string(net.identity.description),
          "step": .integer(net.checkpoint.step), "split": .string(split.rawValue),
          "data": .string(task.dataDigest), "answers": .number(answers),
          "metrics": .object(Dictionary(uniqueKeysWithValues: numbers)),
        ]))
    } else {
      for metric in metrics {
        Terminal.answer("\(split.rawValue).\(metric.name)  \(NumberText.metric(metric.value))\n")
      }
      Terminal.answer("\(Int(answers)) answers after \(net.checkpoint.step) updates\n")
    }
  }
}

extension DataSplit: ExpressibleByArgument {}
