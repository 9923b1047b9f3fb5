import Foundation
import MPI
import MemoryNets

/// Measures how many trials a second the coordinator hands out and records when the trials
/// themselves do nothing.
package enum DispatchBenchmark {
  package struct Result: Sendable {
    package let trials: Int
    package let workers: Int
    /// From the start of the coordinator to the last durable result.
    package let seconds: Double
    package var trialsPerSecond: Double { Double(trials) / seconds }
  }

  /// Runs `trials` trials through the coordinator, the workers and the transport of a sweep.
  ///
  /// Every rank calls it; the result is nil on all ranks but 0.
  package static func run(
    trials: Int, transport: (any Transport)?, stop: StopRequest,
    sink: () throws -> any ResultSink
  ) throws -> (result: Result?, end: RunEnd) {
    let clock = RunClock()
    var start = 0.0
    let end = try SweepRun.run(
      transport: transport, stop: stop, clock: clock, runner: { NullRunner() }
    ) {
      let sink = try sink()
      start = clock.now
      return SweepWork(source: NullSource(count: trials), sink: sink)
    }
    guard let final = end.final else { return (nil, end) }
    let result = Result(
      trials: final.done, workers: max(1, (transport?.size ?? 1) - 1),
      seconds: final.now - start)
    return (result, end)
  }
}

/// Trials of the size of real ones, each with its own identity, made when they are asked for.
private final class NullSource: TrialSource {
  let count: Int?
  private var given = 0
  private let key = PhiloxKey(20_240_229)

  init(count: Int) { self.count = count }

  func next() -> Trial? {
    guard let count, given < count else { return nil }
    given += 1
    var stream = PhiloxStream(key: key, stream: UInt64(given))
    let configuration = TrialConfiguration(
      task: [
        "kind": .string("associative_retrieval"), "layout": .string("modified"),
        "pairs": .integer(4),
      ],
      model: [
        "cell": .string("fw_lstm"), "hidden_size": .integer(50), "decay": .number(0.9),
        "rate": .number(0.5), "layers": .integer(1), "embedding_size": .integer(100),
      ],
      train: [
        "optimizer": .string("adam"), "learning_rate": .number(1e-3), "batch_size": .integer(128),
        "steps": .integer(20_000), "clip_norm": .number(5), "evaluate_every": .integer(200),
      ],
      seed: given)
    return Trial(
      identity: TrialIdentity(high: stream.next(), low: stream.next()), method: "fw_lstm",
      parameters: [TrialParameter(path: "model.hidden_size", value: .integer(50))],
      configuration: configuration)
  }
}

/// Ends every trial at once with a result of the size of a real one.
private final class NullRunner: TrialRunner {
  private let host = ProcessInfo.processInfo.hostName
  private let clock = RunClock()

  func run(
    _ trial: Trial, attempt: Int, team: (any TrainingTeam)?,
    between: (TrialProgress) -> Directive
  ) -> TrialOutcome {
    var result = TrialResult(status: .complete, steps: 1)
    let points = [
      MetricPoint(step: 1, name: "validation.accuracy", value: 0.5),
      MetricPoint(step: 1, name: "validation.loss", value: 1),
    ]
    result.metrics = points
    result.history = points
    result.startedAt = clock.now
    result.finishedAt = result.startedAt
    result.host = host
    result.attempt = attempt
    return .finished(result)
  }
}
