import MemoryNets

/// Why a text is not a trial's configuration.
package struct TrialConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String
}

extension TrialConfiguration {
  /// The whole configuration, with sorted keys and shortest numbers: equal configurations have
  /// equal texts.
  package var canonicalJSON: String {
    let metric: [String: JSONValue] = [
      "name": .string(metric.name),
      "goal": .string(metric.direction.rawValue),
      "target": metric.target.map(JSONValue.number) ?? .null,
      "stop_at_target": .boolean(metric.stopsAtTarget),
    ]
    var configuration: [String: JSONValue] = [
      "task": JSONValue(task), "model": JSONValue(model), "train": JSONValue(train),
      "seed": .integer(seed), "vary": Self.list(vary), "metric": .object(metric),
    ]
    if sharing != .none { configuration["data_parallel"] = sharing.json }
    return JSONValue.object(configuration).text
  }

  /// Reads what `canonicalJSON` wrote.
  package init(json: String) throws(TrialConfigurationError) {
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue(parsing: json)
    } catch {
      throw TrialConfigurationError(description: "not a configuration: \(error)")
    }
    func options(_ value: JSONValue?) -> OptionDictionary? {
      guard case .object(let entries)? = value else { return nil }
      let options = entries.compactMapValues(\.option)
      return options.count == entries.count ? options : nil
    }
    guard case .object(let entries) = value,
      entries.count == (entries["data_parallel"] == nil ? 6 : 7),
      let task = options(entries["task"]), let model = options(entries["model"]),
      let train = options(entries["train"]), case .integer(let seed)? = entries["seed"],
      let vary = Self.purposes(entries["vary"]), let metric = MetricGoal(entries["metric"]),
      let sharing = entries["data_parallel"].map(GradientSharing.init) ?? GradientSharing.none
    else {
      throw TrialConfigurationError(
        description: "not a configuration: task, model, train, seed, vary and metric are expected")
    }
    self.init(
      task: task, model: model, train: train, seed: seed, vary: vary, metric: metric,
      sharing: sharing)
  }

  static func list(_ purposes: Set<SeedPurpose>) -> JSONValue {
    .array(purposes.map(\.rawValue).sorted().map(JSONValue.string))
  }

  private static func purposes(_ value: JSONValue?) -> Set<SeedPurpose>? {
    guard case .array(let names)? = value else { return nil }
    let purposes = names.compactMap { name -> SeedPurpose? in
      guard case .string(let name) = name else { return nil }
      return SeedPurpose(rawValue: name)
    }
    return purposes.count == names.count ? Set(purposes) : nil
  }
}

extension MetricGoal {
  fileprivate init?(_ value: JSONValue?) {
    guard case .object(let entries)? = value, case .string(let name)? = entries["name"],
      case .string(let goal)? = entries["goal"], let direction = Direction(rawValue: goal),
      case .boolean(let stops)? = entries["stop_at_target"]
    else { return nil }
    self.init(name: name, direction: direction, stopsAtTarget: stops)
    switch entries["target"] {
    case .null?: break
    case .number(let target)?: self.target = target
    case .integer(let target)?: self.target = Double(target)
    default: return nil
    }
  }
}

extension GradientSharing {
  fileprivate var json: JSONValue {
    .object([
      "shards": .integer(shards), "reduction": .string(reduction.rawValue),
      "gradients": .string(gradients.rawValue), "ranks": .integer(ranks),
    ])
  }

  fileprivate init?(_ value: JSONValue) {
    guard case .object(let entries) = value, case .integer(let shards)? = entries["shards"],
      case .string(let reduction)? = entries["reduction"],
      let reduction = DataParallelSettings.Reduction(rawValue: reduction),
      case .string(let gradients)? = entries["gradients"],
      let gradients = DataParallelSettings.Gradients(rawValue: gradients),
      case .integer(let ranks)? = entries["ranks"]
    else { return nil }
    self.init(shards: shards, reduction: reduction, gradients: gradients, ranks: ranks)
  }
}
