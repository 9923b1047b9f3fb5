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

  @Option(help: "Seconds of measurement for each distinct shape; 0 measures none.")
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
        if let seconds = cost.seconds {
          lines.append("    \(Self.seconds(seconds)) a trial at most")
        }
        if let team = cost.team { lines.append("    " + Self.text(team, ranks: cost.ranks)) }
        if let memory = cost.memory { lines.append("    " + Self.text(memory)) }
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
    if let program = estimate.program, let worker = estimate.bytesOfWorker,
      let resuming = estimate.bytesOfWorkerWhileResuming
    {
      let all = Self.bytes(program.ofNode(workers: ranks, worker: worker))
      let most = Self.bytes(program.ofNode(workers: ranks, worker: resuming))
      lines.append(
        "memory of one node with \(counted(ranks, "rank")) and the coordinator: \(all)"
          + (most == all ? "" : ", \(most) while all go on from checkpoints"))
      lines.append(
        "    \(ranks) x \(Self.bytes(worker)) for trials and their data, "
          + "\(ranks + 1) x \(Self.bytes(program.bytesOfRank)) and once "
          + "\(Self.bytes(program.sharedBytes)) for the program")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func value(_ plan: SweepPlan, _ estimate: SweepEstimate, _ ranks: Int) -> JSONValue {
    let methods = plan.methods.map { method in
      let cost = estimate.methods[method.name]
      return JSONValue.object([
        "name": .string(method.name), "configurations": .integer(method.configurations),
        "trials": .integer(method.trials),
        "seconds_a_trial": cost?.seconds.map(JSONValue.number) ?? .null,
        "ranks_per_trial": .integer(cost?.ranks ?? 1),
        "ranks_that_pay": cost?.team.map { .integer($0.payingRanks) } ?? .null,
        "speed_up": cost?.team.map { team in
          .object(
            Dictionary(
              uniqueKeysWithValues: team.points.map {
                ("\($0.ranks)", .number(team.speedUp(ranks: $0.ranks)))
              }))
        } ?? .null,
        "bytes_a_trial": cost?.memory.map { .integer($0.total) } ?? .null,
        "bytes_while_resuming": cost?.memory.map { .integer($0.whileResuming) } ?? .null,
        "bytes": cost?.memory.map { memory in
          .object(
            Dictionary(uniqueKeysWithValues: memory.parts.map { ($0.name, .integer($0.bytes)) }))
        } ?? .null,
      ])
    }
    let worker = estimate.bytesOfWorker
    func node(_ worker: Int?) -> JSONValue {
      worker.flatMap { estimate.program?.ofNode(workers: ranks, worker: $0) }
        .map(JSONValue.integer) ?? .null
    }
    return .object([
      "methods": .array(methods), "seeds": .integer(plan.seeds),
      "configurations": .integer(plan.configurations), "trials": .integer(plan.trials),
      "is_exact": .boolean(plan.isExact), "known": .integer(estimate.known),
      "ranks": .integer(ranks),
      "core_seconds": estimate.coreSeconds.map(JSONValue.number) ?? .null,
      "wall_seconds": estimate.wallSeconds.map(JSONValue.number) ?? .null,
      "bytes_a_worker": worker.map(JSONValue.integer) ?? .null,
      "program_bytes_a_rank": estimate.program.map { .integer($0.bytesOfRank) } ?? .null,
      "program_bytes_shared": estimate.program.map { .integer($0.sharedBytes) } ?? .null,
      "bytes_of_node": node(worker),
      "bytes_of_node_while_resuming": node(estimate.bytesOfWorkerWhileResuming),
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

  /// 145 KiB, 1.8 MiB, 45 MiB, 1.3 GiB.
  private static func bytes(_ bytes: Int) -> String {
    let mebibytes = Double(bytes) / 1_048_576
    return switch mebibytes {
    case ..<1: String(format: "%.0f KiB", mebibytes * 1024)
    case ..<10: String(format: "%.1f MiB", mebibytes)
    case ..<1000: String(format: "%.0f MiB", mebibytes)
    default: String(format: "%.1f GiB", mebibytes / 1024)
    }
  }

  /// How much faster teams are expected to be, and where more ranks stop paying.
  private static func text(_ team: TeamPrediction, ranks: Int) -> String {
    let gains = team.points.dropFirst().map {
      "\($0.ranks) ranks \(String(format: "%.1f", team.speedUp(ranks: $0.ranks))) x"
    }
    guard let most = team.points.last?.ranks, most > 1 else {
      return "a batch that cannot be divided: more than one rank gains nothing"
    }
    let paying = team.payingRanks
    let end =
      paying < most
      ? "more than \(counted(paying, "rank")) a trial \(paying == 1 ? "does" : "do") not pay"
      : "all of them pay"
    let advice = ranks > paying ? "; ranks_per_trial is \(ranks)" : ""
    return "an update on \(gains.joined(separator: ", ")) as fast as on one, with a core for each,"
      + " as computed: " + end + advice
  }

  /// The bytes of a trial and the four things that most of them are for.
  private static func text(_ memory: TrialMemory) -> String {
    let largest = memory.parts.sorted { $0.bytes > $1.bytes }
    let parts = largest.prefix(4).map {
      "\($0.name.replacingOccurrences(of: "_", with: " ")) \(bytes($0.bytes))"
    }
    return "\(bytes(memory.total)) a trial: " + parts.joined(separator: ", ")
  }
}
