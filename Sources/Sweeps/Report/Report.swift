import MemoryNets

/// The summary of a sweep as Markdown that also reads well in a terminal.
///
/// The text is a function of the stored results: the same store gives the same bytes.
package struct Report: Sendable {
  private let summary: Summary
  private let showsTimings: Bool
  private let dimensions: [Dimension]

  /// A searched dimension: its path and its short name, unique in the table.
  private struct Dimension {
    let path: String
    let title: String
  }

  /// Without `showsTimings` nothing in the text depends on how fast a machine was.
  package init(_ summary: Summary, showsTimings: Bool = true) {
    self.summary = summary
    self.showsTimings = showsTimings
    var paths: [String] = []
    for parameter in summary.rows.lazy.flatMap(\.parameters) where !paths.contains(parameter.path) {
      paths.append(parameter.path)
    }
    let names = paths.map(Self.lastComponent)
    dimensions = zip(paths, names).map { path, name in
      Dimension(path: path, title: names.count { $0 == name } == 1 ? name : path)
    }
  }

  /// Heading, table, measures of the test split, trivial baselines and failures.
  package var markdown: String {
    var parts = [heading]
    parts.append(summary.rows.isEmpty ? "No trial has finished yet.\n" : table)
    parts += testMetrics.map(testTable)
    if !probeMetrics.isEmpty { parts.append(probeTable) }
    if !summary.baselines.isEmpty { parts.append(baselines) }
    if !summary.failures.isEmpty { parts.append(failures) }
    parts.append(contentsOf: notes)
    return parts.joined(separator: "\n")
  }

  // MARK: - Parts

  private var heading: String {
    let metric = summary.sweep.metric
    var text = "# \(summary.sweep.name)\n\n`\(metric.name)` (\(metric.direction.rawValue))"
    if let target = metric.target { text += ", target \(NumberText.value(.number(target)))" }
    return text + "\n"
  }

  private var table: String {
    let metric = summary.sweep.metric
    var columns = [MarkdownTable.Column(title: "method", isNumeric: false)]
    for dimension in dimensions {
      columns.append(.init(title: dimension.title, isNumeric: isNumeric(dimension.path)))
    }
    columns += ["seeds", Self.lastComponent(metric.name), "95 % interval", "IQM"]
      .map { MarkdownTable.Column(title: $0) }
    if metric.target != nil {
      columns.append(.init(title: "steps to target"))
      if showsTimings { columns.append(.init(title: "core-s to target")) }
      columns.append(.init(title: "reached"))
    }
    columns += [.init(title: "weights"), .init(title: "state")]
    columns.append(.init(title: "failures", isNumeric: false))
    var table = MarkdownTable(columns)
    for row in summary.rows { table.append(cells(row)) }
    return table.text
  }

  private func cells(_ row: SummaryRow) -> [String] {
    let statistics = row.statistics(of: summary.sweep.metric.name)
    var cells = [row.method] + dimensions.map { value(of: $0, in: row) }
    cells += [
      "\(statistics?.count ?? 0)", NumberText.metric(statistics?.mean),
      NumberText.interval(statistics?.interval), NumberText.metric(statistics?.interquartileMean),
    ]
    if summary.sweep.metric.target != nil {
      cells.append(row.stepsToTarget.median.map(NumberText.whole) ?? "not reached")
      if showsTimings {
        cells.append(row.secondsToTarget.median.map(NumberText.seconds) ?? "not reached")
      }
      cells.append("\(row.stepsToTarget.reachedCount)/\(row.stepsToTarget.count)")
    }
    cells += [row.parameterCount, row.stateSize].map { $0.map { "\($0)" } ?? NumberText.absent }
    cells.append(row.failures.isEmpty ? NumberText.absent : row.failures)
    return cells
  }

  /// The metrics of the test split, `test.loss`, which is looked at once, at the end; then those of
  /// each of its parts, `test.40_100.loss`.
  private var testMetrics: [[String]] {
    let names = summary.rows.lazy.flatMap(\.metrics).map(\.name)
    let ofTest = Set(names.filter { $0.hasPrefix("test.") })
    let parts = Dictionary(grouping: ofTest) {
      $0.split(separator: ".").dropLast().joined(separator: ".")
    }
    return parts.sorted { NaturalOrder.compare($0.key, $1.key) < 0 }.map { $0.value.sorted() }
  }

  /// What `memsweep probe` measured.
  private var probeMetrics: [String] {
    let names = summary.rows.lazy.flatMap(\.metrics).map(\.name)
    return Set(names.filter { $0.hasPrefix(ProbeResults.prefix) }).sorted()
  }

  /// Means over the seeds that were probed.
  private var probeTable: String {
    let names = probeMetrics
    var table = MarkdownTable(
      rowColumns + names.map { .init(title: String($0.dropFirst(ProbeResults.prefix.count))) })
    for row in summary.rows {
      table.append(
        [row.method] + dimensions.map { value(of: $0, in: row) }
          + names.map { NumberText.metric(row.statistics(of: $0)?.mean) })
    }
    return "Measures of memory, means over seeds:\n\n" + table.text
  }

  /// The columns that say which row it is.
  private var rowColumns: [MarkdownTable.Column] {
    [MarkdownTable.Column(title: "method", isNumeric: false)]
      + dimensions.map { .init(title: $0.title, isNumeric: isNumeric($0.path)) }
  }

  private func testTable(_ names: [String]) -> String {
    var columns = rowColumns
    columns += names.flatMap {
      [MarkdownTable.Column(title: $0), MarkdownTable.Column(title: "95 % interval")]
    }
    var table = MarkdownTable(columns)
    for row in summary.rows {
      table.append(
        [row.method] + dimensions.map { value(of: $0, in: row) }
          + names.flatMap { name in
            let statistics = row.statistics(of: name)
            return [
              NumberText.metric(statistics?.mean), NumberText.interval(statistics?.interval),
            ]
          })
    }
    return table.text
  }

  private func value(of dimension: Dimension, in row: SummaryRow) -> String {
    let parameter = row.parameters.first { $0.path == dimension.path }
    return parameter.map { NumberText.value($0.value) } ?? NumberText.absent
  }

  /// `- trivial predictor (mode of shown values): 0.3835`, with the metric unless it is the sweep's,
  /// and with what tells the task from the sweep's others.
  private var baselines: String {
    let metric = Self.lastComponent(summary.sweep.metric.name)
    let tasks = summary.baselines.map { JSONText.readParameters($0.task) ?? [] }
    return zip(summary.baselines, tasks).map { baseline, task in
      let name = baseline.baseline.name
      var text =
        name == TrivialBaseline.ideal ? "- ideal predictor" : "- trivial predictor (\(name))"
      if baseline.baseline.metric != metric { text += ", \(baseline.baseline.metric)" }
      let distinct = task.filter { option in !tasks.allSatisfy { $0.contains(option) } }
        .map { "\($0.path) \(NumberText.value($0.value))" }
      if !distinct.isEmpty { text += ", " + distinct.joined(separator: ", ") }
      return text + ": \(NumberText.metric(baseline.baseline.value))\n"
    }.joined()
  }

  private var failures: String {
    var text = "Trials that did not complete:\n\n"
    for trial in summary.failures {
      let reason = trial.result.reason.map { ": " + $0.replacing("\n", with: " ") } ?? ""
      text += "- \(trial.label): \(trial.result.status.words) at step \(trial.result.steps)"
      text += reason + "\n"
    }
    let unlisted = summary.failureCount - summary.failures.count
    return unlisted > 0 ? text + "- and \(unlisted) more\n" : text
  }

  private var notes: [String] {
    var notes: [String] = []
    if let planned = summary.sweep.trialCount, planned > summary.trialCount {
      notes.append(
        "\(planned - summary.trialCount) of \(planned) trials have no result yet; "
          + "`memsweep status` says how far they are.\n")
    }
    if summary.earlierCount > 0 {
      notes.append(
        "\(summary.earlierCount) stored results are not part of the sweep as it was last started.\n"
      )
    }
    return notes
  }

  private func isNumeric(_ path: String) -> Bool {
    summary.rows.allSatisfy { row in
      switch row.parameters.first(where: { $0.path == path })?.value {
      case .integer, .number, nil: true
      default: false
      }
    }
  }

  private static func lastComponent(_ path: String) -> String {
    path.split(separator: ".").last.map(String.init) ?? path
  }
}
