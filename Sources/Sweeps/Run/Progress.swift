import Foundation
import MemoryNets

/// Says in one line where a run stands.
package enum Progress {
  /// The line for a terminal of `width` columns: the last parts are left out where it is narrow.
  package static func line(_ status: RunStatus, width: Int) -> String {
    let parts = parts(status)
    var line = ""
    for part in parts {
      let longer = line.isEmpty ? part : line + "  " + part
      guard longer.count <= width else { break }
      line = longer
    }
    return line.isEmpty ? String(parts[0].prefix(max(0, width))) : line
  }

  /// The line for a log.
  package static func logLine(_ status: RunStatus) -> String {
    "[\(duration(status.elapsedSeconds))] " + parts(status).joined(separator: ", ")
  }

  /// The line for a trial that did not complete.
  package static func failureLine(_ trial: Trial, _ result: TrialResult) -> String {
    let values = trial.parameters.map { "\($0.path)=\(text($0.value))" } + ["seed=\(trial.seed)"]
    let reason = result.reason.map { ": \($0)" } ?? ""
    return "\(trial.method) \(values.joined(separator: " ")): \(result.status.rawValue) "
      + "at step \(result.steps)\(reason)"
  }

  /// In the order of importance.
  private static func parts(_ status: RunStatus) -> [String] {
    var parts = ["\(status.done)/\(status.total.map(String.init) ?? "?")"]
    if status.unsuccessful > 0 { parts.append("\(status.unsuccessful) failed") }
    if status.isStopping { parts.append("stopping") }
    parts.append("\(number(status.trialsPerMinute))/min")
    if !status.isStopping, let seconds = status.remainingSeconds, status.done != status.total {
      parts.append("ETA \(duration(seconds))")
    }
    parts.append("\(Int((100 * status.utilisation).rounded()))% busy")
    if status.lostWorkers > 0 { parts.append("\(status.lostWorkers) lost") }
    if let best = status.best {
      parts.append("best \(best.name) \(number(best.value)) (\(best.method))")
    }
    return parts
  }

  /// 7 s, 1:05, 2:03:04, 3 d 4 h.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "?" }
    let whole = Int(max(0, seconds).rounded())
    func two(_ x: Int) -> String { x < 10 ? "0\(x)" : "\(x)" }
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3600: return "\(whole / 60):\(two(whole % 60))"
    case ..<86400: return "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    default: return "\(whole / 86400) d \(whole / 3600 % 24) h"
    }
  }

  /// Four significant digits; counts from 1000 on are whole.
  private static func number(_ value: Double) -> String {
    abs(value) >= 1000 ? String(format: "%.0f", value) : String(format: "%.4g", value)
  }

  private static func text(_ value: OptionValue) -> String {
    switch value {
    case .integer(let integer): "\(integer)"
    case .number(let number): "\(number)"
    case .boolean(let boolean): "\(boolean)"
    case .string(let text): text
    case .list(let values): "[" + values.map(text).joined(separator: ",") + "]"
    }
  }
}
