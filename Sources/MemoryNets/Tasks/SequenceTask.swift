/// A part of a task's data.
package enum DataSplit: String, Sendable, CaseIterable {
  case train, validation, test
}

/// What a predictor reaches that has learnt nothing of what the task is about, or one that has
/// learnt all that can be.
package struct TrivialBaseline: Hashable, Sendable {
  /// The name of the one that nothing can be better than.
  package static let ideal = "ideal"

  /// `mode of shown values`.
  package let name: String
  /// The metric it is stated in, `accuracy`.
  package let metric: String
  package let value: Double

  package init(name: String, metric: String, value: Double) {
    self.name = name
    self.metric = metric
    self.value = value
  }
}

/// A family of sequences to learn, with its splits and its measure.
///
/// Which sequences a batch holds is a function of the task's options, its key and the batch's
/// number alone, so that any rank can make any batch at any time.
package protocol SequenceTask: AnyObject {
  var shape: TaskShape { get }

  /// Trivial predictors to print beside the results; empty when none is known.
  var baselines: [TrivialBaseline] { get }

  /// Identifies the data files read, for the trial's identity; empty for generated data.
  var dataDigest: String { get }

  /// Identifies which number stands for what, where tokens have names; empty otherwise.
  var vocabularyDigest: String { get }

  /// What it holds in memory: its sequences, or their order where they are made when needed.
  var byteCount: Int { get }

  /// Takes the order of the training sequences from `key` instead of the task's own.
  ///
  /// To be called before the first batch; for trials whose order varies and whose data does not,
  /// or the other way round. Without effect where sequences are drawn afresh.
  func orderTraining(by key: PhiloxKey)

  /// Fills `batch` with the sequences of update number `update` (from 0), `batchSize` rows, or all
  /// training sequences where there are fewer.
  func fillTraining(_ batch: Batch, update: Int, batchSize: Int)

  /// The number of batches of `batchSize` rows that make up `split`.
  func evaluationBatchCount(_ split: DataSplit, batchSize: Int) -> Int

  /// The parts of `split` that are also measured by themselves, `test.40_100.loss`; none by default.
  func parts(of split: DataSplit) -> [String]

  /// The position in `parts(of: split)` of the part that batch `index` belongs to, if any.
  func part(of split: DataSplit, index: Int, batchSize: Int) -> Int?

  /// Fills `batch` with batch `index` of `split`; the last one may have fewer rows.
  ///
  /// A batch that continues the state is to be run directly after the one before it.
  func fillEvaluation(_ batch: Batch, split: DataSplit, index: Int, batchSize: Int)
}

extension SequenceTask {
  package var byteCount: Int { 0 }

  package var vocabularyDigest: String { "" }

  package func orderTraining(by key: PhiloxKey) {}

  package func parts(of split: DataSplit) -> [String] { [] }

  package func part(of split: DataSplit, index: Int, batchSize: Int) -> Int? { nil }
}

/// A task by name: its options and how to make it.
package struct TaskKind: Sendable {
  package let name: String
  /// One sentence for `memsweep list`.
  package let summary: String
  /// The defaults, for schema and did-you-mean.
  package let defaults: any Options
  /// Makes the task; `options` are of the type of `defaults`, `key` is for its random sequences.
  package let make:
    @Sendable (_ options: any Options, _ key: PhiloxKey, _ data: DataFolder) throws ->
      any SequenceTask

  package init<O: Options>(
    name: String, summary: String, options: O.Type,
    make: @escaping @Sendable (O, PhiloxKey, DataFolder) throws -> any SequenceTask
  ) {
    self.name = name
    self.summary = summary
    self.defaults = O()
    self.make = { options, key, data in
      guard let options = options as? O else {
        preconditionFailure("options of \(type(of: options)), not \(O.self)")
      }
      return try make(options, key, data)
    }
  }
}
