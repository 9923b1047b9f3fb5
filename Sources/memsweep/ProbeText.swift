import Foundation
import MemoryNets
import Sweeps

/// The measures of a net for people and for programs.
enum ProbeText {
  /// A heading, then a line a measure.
  static func text(_ probe: MemoryProbe, label: String) -> String {
    var lines = ["\(label): \(counted(probe.carriedSize, "number")) carried"]
    if let capacity = probe.capacity {
      lines.append(
        "linear memory capacity \(short(capacity.total)): " + curve(capacity.byDelay, from: 1))
    }
    if let retention = probe.retention {
      let length = number("retention_length", probe).map { "\(Int($0))" } ?? "-"
      lines.append(
        "retention, length \(length), area \(short(retention.area)): "
          + curve(retention.byLag, from: 0))
      if let bound = probe.bound {
        lines.append("bound by \(bound); the training length is \(probe.trainingLength)")
      }
    }
    if let carried = probe.carriedRetention {
      let length = number("carried_retention_length", probe).map { "\(Int($0))" } ?? "-"
      lines.append(
        "retention over sequences without a reset, length \(length), area \(short(carried.area))")
    }
    if let accuracy = probe.accuracy {
      lines.append(
        "answers by position: " + curve(accuracy.byPosition, from: 0)
          + "; whole sequences \(short(accuracy.ofWholeSequences))")
    }
    if let study = probe.study {
      lines.append("recall by study position: " + curve(study.byStudyPosition, from: 0))
      lines.append("new tokens rejected: " + short(number("rejection", probe) ?? 0))
    }
    for spectrum in probe.spectra {
      let beyond = spectrum.magnitudes.count { $0 > 1 }
      lines.append(
        "\(spectrum.name): spectral radius \(short(spectrum.radius)), \(beyond) of "
          + "\(spectrum.magnitudes.count) eigenvalues beyond 1")
    }
    return lines.enumerated().map { ($0 == 0 ? "" : "    ") + $1 + "\n" }.joined()
  }

  /// All numbers and curves.
  static func json(_ probe: MemoryProbe, of checkpoint: ProbedCheckpoint, label: String)
    -> JSONValue
  {
    func list(_ numbers: [Double?]) -> JSONValue {
      .array(numbers.map { $0.map(JSONValue.number) ?? .null })
    }
    var members: [String: JSONValue] = [
      "trial": .string(checkpoint.identity.description), "label": .string(label),
      "checkpoint": .string(checkpoint.path), "step": .integer(checkpoint.checkpoint.step),
      "carried_size": .integer(probe.carriedSize),
      "numbers": .object(
        Dictionary(uniqueKeysWithValues: probe.numbers.map { ($0.name, .number($0.value)) })),
      "bound": probe.bound.map(JSONValue.string) ?? .null,
    ]
    members["memory_capacity_by_delay"] = probe.capacity.map { list($0.byDelay) }
    members["retention_by_lag"] = probe.retention.map { list($0.byLag) }
    members["carried_retention_by_lag"] = probe.carriedRetention.map { list($0.byLag) }
    members["accuracy_by_position"] = probe.accuracy.map { list($0.byPosition) }
    members["recall_by_study_and_query"] = probe.study.map { .array($0.uniform.map { list($0) }) }
    members["rejection_by_query"] = probe.study.map { list($0.rejection) }
    members["half_recall_by_study"] = probe.study.map { list($0.half) }
    members["half_rejection_by_query"] = probe.study.map { list($0.halfRejection) }
    members["spectra"] = .array(
      probe.spectra.map {
        .object([
          "matrix": .string($0.name), "radius": .number($0.radius), "real": list($0.real),
          "imaginary": list($0.imaginary),
        ])
      })
    return .object(members)
  }

  private static func number(_ name: String, _ probe: MemoryProbe) -> Double? {
    probe.numbers.first { $0.name == "probe." + name }?.value
  }

  /// Every value of a short curve, some of a long one: `1.00 0.98 ... (at 0, 1, ...)`.
  private static func curve(_ values: [Double?], from first: Int) -> String {
    let places = Array(first..<max(values.count, first))
    let shown =
      places.count <= 16
      ? places : (0..<16).map { places[$0 * (places.count - 1) / 15] }
    let at = places.count <= 16 ? "" : " (at \(shown.map { "\($0)" }.joined(separator: " ")))"
    return shown.map { values[$0].map { String(format: "%.2f", $0) } ?? "-" }.joined(separator: " ")
      + at
  }

  private static func short(_ value: Double) -> String { String(format: "%.3f", value) }
}
