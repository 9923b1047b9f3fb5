import Foundation
import MemoryNets

extension ProbedCheckpoint {
  /// The task that the net was trained on, or the same on another corpus.
  ///
  /// Throws where the corpus is not the one of the training, or another one numbers other words.
  package func task(_ assembly: TrialAssembly, corpus: String? = nil) throws -> any SequenceTask {
    var configuration = configuration
    if let corpus {
      guard configuration.task["corpus"] != nil else {
        throw ProbeError(
          description: "--corpus: the trial of \(path) is no language model; leave it out")
      }
      configuration.task["corpus"] = .string(corpus)
    }
    let task = try assembly.task(of: configuration)
    guard let data = checkpoint.section(named: DataMark.section)?.json(DataMark.self) else {
      return task
    }
    let name = (task as? LanguageModelTask)?.corpus.path ?? "the task's data"
    let found = DataMark(task)
    if corpus == nil, found.digest != data.digest {
      throw ProbeError(
        description:
          "\(name): changed since \(path) was trained: its digest is \(found.digest), not "
          + "\(data.digest); bring the old data back, or name this corpus with --corpus")
    }
    if found.vocabulary != data.vocabulary {
      throw ProbeError(
        description:
          "\(name): numbers other words than the corpus that \(path) was trained on: its "
          + "vocabulary has the digest \(found.vocabulary), not \(data.vocabulary); "
          + "prepare it with --vocabulary and that corpus")
    }
    return task
  }

  /// The metrics of the net on a split of `task`.
  package func metrics(
    _ assembly: TrialAssembly, on task: any SequenceTask, split: DataSplit
  ) throws -> (metrics: [Metric], answers: Double) {
    let parts = try assembly.parts(of: configuration, task: task)
    try load(into: parts.model.parameters)
    parts.model.resume(after: checkpoint.step)
    let rows = parts.options.evaluationRows
    let batch = Batch(shape: task.shape, maximumRows: rows)
    var statistics = LossStatistics()
    for index in 0..<task.evaluationBatchCount(split, batchSize: rows) {
      task.fillEvaluation(batch, split: split, index: index, batchSize: rows)
      statistics += try parts.model.evaluate(batch)
    }
    return (Metrics.metrics(of: statistics, shape: task.shape), statistics.weight)
  }

  /// Text that the net goes on with after `prompt`.
  package func sample(
    _ assembly: TrialAssembly, length: Int, temperature: Double, seed: UInt64, prompt: String
  ) throws -> String {
    guard let task = try task(assembly) as? LanguageModelTask else {
      throw ProbeError(description: "\(path): its trial is no language model")
    }
    let vocabulary = try task.corpus.vocabulary()
    let reader = try assembly.stateReader(
      of: configuration, shape: task.shape, steps: 1, after: checkpoint.step)
    try load(into: reader.parameters)
    let tokens = TextSampler(reader, seed: seed).sample(
      length: length, temperature: temperature, prompt: vocabulary.tokens(of: prompt))
    return vocabulary.text(of: tokens)
  }
}
