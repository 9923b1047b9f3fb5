import CXXHash
import MemoryNets

/// Names trials by what determines their results.
///
/// Names of methods and files, the output folder, resources and retries are no part of it.
package struct TrialIdentifier {
  private let numericContract: String
  private let threads: Int
  private let digests: DigestCache

  /// `numericContract` is the engine's version, element type, passes and instruction level;
  /// `dataDigest` identifies the data files of a task by its options and is asked once for each.
  package init(
    numericContract: String, threads: Int = 1, dataDigest: @escaping (OptionDictionary) -> String
  ) {
    self.numericContract = numericContract
    self.threads = threads
    digests = DigestCache(dataDigest)
  }

  /// XXH3 (128 bits) of `identifyingJSON`.
  package func identity(of configuration: TrialConfiguration) -> TrialIdentity {
    Self.hash(identifyingJSON(of: configuration))
  }

  /// XXH3 (128 bits) of a text, as 32 hexadecimal digits.
  static func digest(of text: String) -> String { hash(text).description }

  private static func hash(_ text: String) -> TrialIdentity {
    var text = text
    let hash = text.withUTF8 { XXH3_128bits($0.baseAddress, $0.count) }
    return TrialIdentity(high: hash.high64, low: hash.low64)
  }

  /// The canonical JSON of all that determines the trial's result.
  package func identifyingJSON(of configuration: TrialConfiguration) -> String {
    var entries: [String: JSONValue] = [
      "task": JSONValue(configuration.task), "model": JSONValue(configuration.model),
      "train": JSONValue(configuration.train), "seed": .integer(configuration.seed),
      "vary": TrialConfiguration.list(configuration.vary), "threads": .integer(threads),
      "shards": .integer(configuration.sharing.shards),
      "reduction": .string(configuration.sharing.reduction.rawValue),
      "data": .string(digests.digest(of: configuration.task)),
      "numeric_contract": .string(numericContract),
    ]
    if configuration.sharing.reduction == .fast {
      entries["ranks"] = .integer(configuration.sharing.ranks)
      entries["gradients"] = .string(configuration.sharing.gradients.rawValue)
    }
    let metric = configuration.metric
    let isFollowed = metric.stopsAtTarget || followsMetric(configuration.train)
    if isFollowed {
      entries["metric"] = .string(metric.name)
      entries["goal"] = .string(metric.direction.rawValue)
    }
    if metric.stopsAtTarget { entries["target"] = metric.target.map(JSONValue.number) ?? .null }
    return JSONValue.object(entries).text
  }

  /// Whether the training looks at the metric: by an early stop or a schedule of plateaus.
  private func followsMetric(_ train: OptionDictionary) -> Bool {
    if case .integer(let patience)? = train["early_stop_patience"], patience > 0 { return true }
    return train["schedule"] == .string("plateau")
  }
}

private final class DigestCache {
  private let digest: (OptionDictionary) -> String
  private var known: [OptionDictionary: String] = [:]

  init(_ digest: @escaping (OptionDictionary) -> String) { self.digest = digest }

  func digest(of task: OptionDictionary) -> String {
    if let known = known[task] { return known }
    let result = digest(task)
    known[task] = result
    return result
  }
}
