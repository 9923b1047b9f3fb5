import MemoryNets
import Sweeps
import Testing

/// A training of a few options, as the engine's has many.
struct PlainTraining: Options {
  enum Optimizer: String, Codable, CaseIterable, Sendable { case sgd, adam }
  enum Schedule: String, Codable, CaseIterable, Sendable { case constant, plateau }

  var optimizer = Optimizer.adam
  var learningRate = 1e-3
  var momentum = 0.0
  var clipNorm = 0.0
  var batchSize = 128
  var steps = 1000
  var evaluateEvery = 200
  var earlyStopPatience = 0
  var schedule = Schedule.constant
  var freeze: [ParameterGroup] = []

  func validate() -> [OptionProblem] {
    learningRate > 0
      ? [] : [OptionProblem("learning_rate", "is \(learningRate); above 0 is needed")]
  }
}

struct PlainCell: RecurrentCell {
  func step(_ x: Vector, in g: StepBuilder) -> Vector { x }
}

struct GatedOptions: Options {
  var hiddenSize = 50
  var forgetBias = 1.0

  func validate() -> [OptionProblem] {
    hiddenSize > 0 ? [] : [OptionProblem("hidden_size", "is \(hiddenSize); at least 1 is needed")]
  }
}

struct FastOptions: Options {
  var hiddenSize = 50
  var decay = 0.95
  var rate = 0.5
  var memories = 1
}

struct RetrievalOptions: Options {
  enum Layout: String, Codable, CaseIterable, Sendable { case art, modified }
  var layout = Layout.art
  var pairs = 4
}

struct CopyOptions: Options {
  var delay = 10
}

private func task<O: Options>(_ name: String, _ options: O.Type) -> TaskKind {
  TaskKind(name: name, summary: "The task \(name).", options: options) { _, _, _ in
    throw OptionProblem("kind", "is only for tests of the sweep file")
  }
}

let vocabulary = SpecVocabulary(
  train: PlainTraining(),
  cells: [
    CellKind(name: "lstm", summary: "Gates.", options: GatedOptions.self) { _ in PlainCell() },
    CellKind(name: "fw_lstm", summary: "Fast.", options: FastOptions.self) { _ in PlainCell() },
    CellKind(name: "gru", summary: "Fewer.", options: GatedOptions.self) { _ in PlainCell() },
  ],
  tasks: [
    task("associative_retrieval", RetrievalOptions.self), task("copy", CopyOptions.self),
  ],
  metrics: ["accuracy", "loss"])

/// A small file to which a test adds.
let smallFile = """
  memsweep: 1
  name: small
  task: {kind: copy}
  base:
    model: {cell: lstm}

  """

/// The file of the design, with every section.
let wholeFile = """
  memsweep: 1
  name: wtt
  task: {kind: associative_retrieval, layout: modified, pairs: 8}
  base:
    model: {hidden_size: 50, embedding_size: 100}
    train: {optimizer: adam, learning_rate: 1e-3, batch_size: 128, steps: 20000, clip_norm: 5}
  methods:
    lstm:    {model: {cell: lstm}}
    gru:     {model: {cell: gru}}
    fw_lstm: {model: {cell: fw_lstm, decay: 0.9, rate: 0.5}}
    weinet:  {model: {cell: fw_lstm}, parameters: {model.memories: {values: [2, 3]}}}
  parameters:
    train.learning_rate: {values: [1e-3, 3e-3]}
    model.hidden_size:   {values: [20, 50, 100]}
    train.momentum:      {values: [0.9, 0.99], when: {train.optimizer: sgd}}
  zip:
    - {task.pairs: [4, 8, 16], train.steps: [10000, 20000, 40000]}
  exclude:
    - {model.hidden_size: 100, train.learning_rate: 0.003}
  seeds: {count: 10, first: 1, vary: [init, order, data]}
  metric: {name: validation.accuracy, goal: maximize, target: 0.99, stop_at_target: true}
  search: {method: grid}
  resources: {ranks_per_trial: 1, threads: 1, memory: 2GiB}
  data_parallel: {reduction: reproducible, shards: 4}
  retry: {crash: 2, diverged: 0, preempted: unlimited}
  checkpoint: {every: 60s, keep: {last: 2, best: 1, final: true}}
  output: {directory: runs/wtt}

  """

func spec(
  _ yaml: String, overrides: [String] = [], methods: [String]? = nil
) throws -> SweepSpec {
  try SweepSpec(
    yaml: yaml, file: "a.yaml", overrides: overrides, methods: methods, vocabulary: vocabulary)
}

/// The lines of what is wrong with a file; empty when it is good.
func problems(
  _ yaml: String, overrides: [String] = [], methods: [String]? = nil
) -> [String] {
  do throws(SpecErrors) {
    _ = try SweepSpec(
      yaml: yaml, file: "a.yaml", overrides: overrides, methods: methods, vocabulary: vocabulary)
    return []
  } catch {
    return error.problems.map(\.description)
  }
}

var identifier: TrialIdentifier { TrialIdentifier(numericContract: "test") { _ in "" } }

func trials(_ spec: SweepSpec) -> [Trial] {
  let source = SearchRegistry.source(spec, identifier: identifier)
  var trials: [Trial] = []
  while let trial = source.next() { trials.append(trial) }
  return trials
}
