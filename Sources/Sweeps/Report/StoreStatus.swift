import GRDB
import MemoryNets

/// Where a sweep stands, from its store and its newest checkpoints.
package struct StoreStatus: Sendable {
  /// One method's share.
  package struct Method: Hashable, Sendable {
    package let name: String
    /// Finished trials, however they ended.
    package let finished: Int
    package let complete: Int
    /// Mean core-seconds of a finished trial.
    package let meanSeconds: Double
  }

  package let sweep: SweepRecord
  /// Finished trials by how they ended; all statuses are there.
  package let counts: [TrialStatus: Int]
  package let methods: [Method]
  /// The complete trial with the best value of the sweep's metric; the first in order of ties.
  package let best: StoredTrial?
  /// The trials that took the most core-seconds, at most three, slowest first.
  package let slowest: [StoredTrial]
  /// When the last trial finished, in seconds since 1970.
  package let lastFinishedAt: Double?
  /// Core-seconds of all trials.
  package let seconds: Double
  /// Finished trials in the store that are not part of the sweep as it was last started.
  package let earlierCount: Int
  /// Trials that have begun and have no result.
  package let unfinished: [UnfinishedTrial]

  /// Reads one state of the store.
  package init(_ reader: ResultReader, unfinished: [UnfinishedTrial] = []) throws {
    self.unfinished = unfinished
    var tally = Tally()
    (sweep, earlierCount) = try reader.read { database in
      let sweep = try reader.sweep(in: database).record
      try reader.forEachTrial(in: database) { tally.add($0, metric: sweep.metric) }
      return (sweep, try reader.earlierCount(in: database))
    }
    counts = tally.counts
    methods = tally.methods.map {
      Method(
        name: $0.name, finished: $0.finished, complete: $0.complete,
        meanSeconds: $0.seconds / Double($0.finished))
    }
    best = tally.best
    slowest = tally.slowest
    lastFinishedAt = tally.lastFinishedAt
    seconds = tally.methods.reduce(0) { $0 + $1.seconds }
  }

  package var finishedCount: Int { counts.values.reduce(0, +) }

  /// The best value so far.
  package var bestValue: Double? { best?.value(of: sweep.metric.name) }

  /// A few lines for a terminal.
  package var text: String {
    let of = sweep.trialCount.map { " of \($0)" } ?? ""
    let ends = TrialStatus.allCases.filter { counts[$0, default: 0] > 0 }
      .map { "\(counts[$0, default: 0]) \($0.words)" }
    var lines = ["\(sweep.name): \(finishedCount)\(of) trials finished"]
    if !ends.isEmpty { lines[0] += " (" + ends.joined(separator: ", ") + ")" }
    if let best {
      lines.append(
        "best \(sweep.metric.name): \(NumberText.metric(bestValue)) (\(best.label))")
    }
    if let lastFinishedAt {
      lines.append("last result: \(UTCTime.text(lastFinishedAt))")
      lines.append("core-seconds: \(NumberText.seconds(seconds))")
    }
    if !methods.isEmpty {
      var table = MarkdownTable([
        .init(title: "method", isNumeric: false), .init(title: "finished"),
        .init(title: "complete"), .init(title: "core-s a trial"),
      ])
      for method in methods {
        table.append([
          method.name, "\(method.finished)", "\(method.complete)",
          NumberText.seconds(method.meanSeconds),
        ])
      }
      lines += ["", String(table.text.dropLast()), "", "slowest:"]
      lines += slowest.map { "  \(NumberText.seconds($0.result.seconds)) s: \($0.label)" }
    }
    if !unfinished.isEmpty { lines += ["", String(unfinishedTable.dropLast())] }
    if earlierCount > 0 {
      lines.append("\(earlierCount) stored results are not part of the sweep as last started")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What trials without a result had reached at their last checkpoints.
  private var unfinishedTable: String {
    let metric = sweep.metric.name
    var table = MarkdownTable([
      .init(title: "without a result", isNumeric: false), .init(title: "updates"),
      .init(title: metric), .init(title: "best"), .init(title: "core-s"),
      .init(title: "last checkpoint", isNumeric: false),
    ])
    for trial in unfinished {
      table.append([
        trial.label, "\(trial.step)" + (trial.totalSteps.map { " of \($0)" } ?? ""),
        NumberText.metric(trial.values.last), NumberText.metric(trial.bestValue),
        NumberText.seconds(trial.seconds), UTCTime.text(trial.savedAt),
      ])
    }
    return table.text
  }

  /// One JSON value on one line.
  package var json: String {
    let ends = TrialStatus.allCases.map { ($0.rawValue, "\(counts[$0, default: 0])") }
    let methods = methods.map {
      JSONText.object([
        ("name", JSONText.string($0.name)), ("finished", "\($0.finished)"),
        ("complete", "\($0.complete)"), ("mean_seconds", JSONText.number($0.meanSeconds)),
      ])
    }
    return JSONText.object([
      ("sweep", JSONText.string(sweep.name)),
      ("trials", JSONText.integer(sweep.trialCount)),
      ("finished", "\(finishedCount)"),
      ("statuses", JSONText.object(ends)),
      ("metric", JSONText.string(sweep.metric.name)),
      ("best", best.map { Self.json($0, value: bestValue) } ?? "null"),
      ("methods", JSONText.array(methods)),
      ("slowest", JSONText.array(slowest.map { Self.json($0, value: nil) })),
      ("last_finished_at", JSONText.number(lastFinishedAt)),
      ("seconds", JSONText.number(seconds)),
      ("earlier", "\(earlierCount)"),
      ("unfinished", JSONText.array(unfinished.map(Self.json))),
    ])
  }

  private static func json(_ trial: UnfinishedTrial) -> String {
    JSONText.object([
      ("identity", JSONText.string(trial.identity.description)),
      ("method", JSONText.string(trial.method)),
      ("parameters", JSONText.parameters(trial.parameters)), ("seed", "\(trial.seed)"),
      ("steps", "\(trial.step)"), ("total_steps", JSONText.integer(trial.totalSteps)),
      ("value", JSONText.number(trial.values.last)), ("best", JSONText.number(trial.bestValue)),
      ("seconds", JSONText.number(trial.seconds)), ("saved_at", JSONText.number(trial.savedAt)),
    ])
  }

  private static func json(_ trial: StoredTrial, value: Double?) -> String {
    var members: [(key: String, value: String)] = [
      ("identity", JSONText.string(trial.identity.description)),
      ("method", JSONText.string(trial.method)),
      ("parameters", JSONText.parameters(trial.parameters)), ("seed", "\(trial.seed)"),
      ("seconds", JSONText.number(trial.result.seconds)),
    ]
    if let value { members.append(("value", JSONText.number(value))) }
    return JSONText.object(members)
  }

  /// What is gathered while the trials pass.
  private struct Tally {
    var counts = Dictionary(uniqueKeysWithValues: TrialStatus.allCases.map { ($0, 0) })
    var methods: [(name: String, finished: Int, complete: Int, seconds: Double)] = []
    var best: StoredTrial?
    var slowest: [StoredTrial] = []
    var lastFinishedAt: Double?

    /// Trials come method by method.
    mutating func add(_ trial: StoredTrial, metric: MetricGoal) {
      let result = trial.result
      let isComplete = result.status == .complete
      counts[result.status, default: 0] += 1
      if methods.last?.name != trial.method { methods.append((trial.method, 0, 0, 0)) }
      methods[methods.count - 1].finished += 1
      methods[methods.count - 1].complete += isComplete ? 1 : 0
      methods[methods.count - 1].seconds += result.seconds
      lastFinishedAt = max(lastFinishedAt ?? result.finishedAt, result.finishedAt)
      if isComplete, let value = trial.value(of: metric.name) {
        let previous = best?.value(of: metric.name)
        let isBetter = previous.map { metric.direction == .maximize ? value > $0 : value < $0 }
        if isBetter ?? true { best = trial }
      }
      let place = slowest.firstIndex { $0.result.seconds < result.seconds } ?? slowest.count
      if place < 3 {
        slowest.insert(trial, at: place)
        slowest = Array(slowest.prefix(3))
      }
    }
  }
}
