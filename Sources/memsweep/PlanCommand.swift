import ArgumentParser
import Foundation
import MemoryNets
import Sweeps

/// Says what a sweep is going to cost, from a short measurement of each distinct shape.
struct PlanSweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Counts the trials of a sweep and measures what they cost.")

  @OptionGroup var sweep: SweepArguments

  @Option(help: "Ranks that train; without it, the cores of this machine.")
  var ranks: Int?

  @Option(help: "Seconds of measurement for each distinct shape; 0 measures nothing.")
  var probeSeconds = 2.0

  @Flag(help: "One line of JSON.")
  var json = false

  func run() throws {
    let spec = try sweep.load()
    let setup = try sweep.setup(spec)
    let problems = setup.problems()
    guard problems.isEmpty else { throw SpecErrors(problems: problems) }
    let plan = SweepPlan(spec)
    let ranks = ranks ?? ProcessInfo.processInfo.activeProcessorCount
    guard ranks >= 1 else { throw Failure("--ranks is \(ranks); at least 1 is needed", .badInput) }
    let estimate = try SweepEstimate(setup, probeSeconds: probeSeconds, ranks: ranks) {
      Terminal.note($0)
    }
    if json {
      Terminal.answer(json: value(plan, estimate, ranks))
    } else {
      Terminal.answer(text(plan, estimate, ranks))
    }
  }

  private func text(_ plan: SweepPlan, _ estimate: SweepEstimate, _ ranks: Int) -> String {
    var lines: [String] = []
    for method in plan.methods {
      let dimensions = method.dimensions.map { dimension in
        "\(dimension.path): \(dimension.values)" + (dimension.isConditional ? " (conditional)" : "")
      }
      lines.append(
        "\(method.name): \(counted(method.configurations, "configuration")) x "
          + "\(counted(plan.seeds, "seed")) = \(counted(method.trials, "trial"))")
      lines += dimensions.map { "    \($0)" }
      if let cost = estimate.methods[method.name] {
        lines.append(
          "    \(Self.seconds(cost.seconds)) a trial at most, "
            + "\(Self.bytes(cost.bytes)) a trial")
      }
    }
    let count = (plan.isExact ? "" : "at most ") + counted(plan.trials, "trial")
    let isDone = estimate.known > 0 && estimate.remaining == 0
    lines.append("\(count), \(isDone ? "all" : "\(estimate.known)") of them known")
    if isDone {
      lines.append("nothing is left to run")
    } else if let remaining = estimate.coreSeconds, let finish = estimate.wallSeconds {
      let date = Date(timeIntervalSinceNow: finish).formatted(.iso8601)
      lines.append(
        "\(Self.seconds(remaining)) of one core at most; with \(counted(ranks, "rank")) "
          + "\(Self.seconds(finish)), until \(date)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func value(_ plan: SweepPlan, _ estimate: SweepEstimate, _ ranks: Int) -> JSONValue {
    let methods = plan.methods.map { method in
      let cost = estimate.methods[method.name]
      return JSONValue.object([
        "name": .string(method.name), "configurations": .integer(method.configurations),
        "trials": .integer(method.trials),
        "seconds_a_trial": cost.map { .number($0.seconds) } ?? .null,
        "bytes_a_trial": cost.map { .integer($0.bytes) } ?? .null,
      ])
    }
    return .object([
      "methods": .array(methods), "seeds": .integer(plan.seeds),
      "configurations": .integer(plan.configurations), "trials": .integer(plan.trials),
      "is_exact": .boolean(plan.isExact), "known": .integer(estimate.known),
      "ranks": .integer(ranks),
      "core_seconds": estimate.coreSeconds.map(JSONValue.number) ?? .null,
      "wall_seconds": estimate.wallSeconds.map(JSONValue.number) ?? .null,
    ])
  }

  /// 0.8 s, 45 s, 12 min, 3.4 h, 2.1 days.
  private static func seconds(_ seconds: Double) -> String {
    switch seconds {
    case ..<10: String(format: "%.1f s", seconds)
    case ..<120: String(format: "%.0f s", seconds)
    case ..<7200: String(format: "%.0f min", seconds / 60)
    case ..<172_800: String(format: "%.1f h", seconds / 3600)
    default: String(format: "%.1f days", seconds / 86_400)
    }
  }

  private static func bytes(_ bytes: Int) -> String {
    String(format: "%.1f MiB", Double(bytes) / 1_048_576)
  }
}
