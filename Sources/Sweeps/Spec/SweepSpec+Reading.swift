import Foundation
import MemoryNets

extension SweepSpec {
  private static let sections = [
    "memsweep", "name", "task", "base", "methods", "parameters", "zip", "exclude", "seeds",
    "metric", "search", "resources", "data_parallel", "retry", "checkpoint", "output",
  ]

  /// Reads and checks the text of a sweep file; `file` is its name for messages.
  package init(
    yaml: String, file: String, overrides: [String] = [], methods filter: [String]? = nil,
    vocabulary: SpecVocabulary
  ) throws(SpecErrors) {
    let problems = ProblemList(file: file)
    let document = YAMLDocument(yaml, problems: problems)
    let start = SpecPlace.file(line: 1, column: 1)
    guard var root = document.root else {
      if problems.isEmpty {
        problems.add(
          start, "", "is empty; a sweep file starts with memsweep: \(Self.schemaVersion)")
      }
      try problems.throwIfAny()
      preconditionFailure("a problem was added")
    }
    let schemas = SpecSchemas(vocabulary)
    let reader = SpecReader(schemas: schemas, problems: problems)
    let settings = overrides.compactMap {
      CommandLineOverride($0, schemas: schemas, problems: problems)
    }
    for setting in settings { setting.apply(to: &root) }
    _ = reader.entries(root, "", known: Self.sections)
    if root.entries == nil { try problems.throwIfAny() }
    reader.version(root)

    self.file = file
    self.vocabulary = vocabulary
    self.schemas = schemas
    name = reader.name(root, file: file)
    base = reader.base(root)
    self.methods = reader.methods(root["methods"]?.value, name: name, at: start)
    dimensions = reader.dimensions(root["parameters"]?.value, "parameters")
    zips = reader.zips(root["zip"]?.value)
    exclusions = reader.exclusions(root["exclude"]?.value)
    seeds = reader.section(SeedSettings.self, root["seeds"]?.value, "seeds")
    metric = reader.metric(root["metric"]?.value)
    let metricNode = root["metric"]?.value
    metricPlace = metricNode?["name"]?.value.place ?? metricNode?.place ?? start
    search = reader.section(
      SearchSettings.self, root["search"]?.value, "search",
      choices: ["method": SearchRegistry.names])
    resources = reader.section(ResourceSettings.self, root["resources"]?.value, "resources")
    dataParallel = reader.section(
      DataParallelSettings.self, root["data_parallel"]?.value, "data_parallel")
    let ranksEntry = root["resources"]?.value["ranks_per_trial"]
    saysDataParallel = root["data_parallel"] != nil || ranksEntry != nil
    ranksPlace = ranksEntry?.value.place ?? start
    retry = reader.section(RetrySettings.self, root["retry"]?.value, "retry")
    checkpoint = reader.checkpoint(root["checkpoint"]?.value)
    let output = reader.section(OutputSettings.self, root["output"]?.value, "output")
    outputDirectory = output.directory.isEmpty ? "runs/\(name)" : output.directory
    if let filter { keep(filter, problems) }
    for setting in settings { setting.checkEffect(on: self.methods, problems) }
    check(problems)
    try problems.throwIfAny()
  }

  private mutating func keep(_ names: [String], _ problems: ProblemList) {
    let known = methods.map(\.name)
    if names.isEmpty {
      problems.add(
        .commandLine("--methods"), "",
        "no name is given; known are " + known.joined(separator: ", "))
    }
    for name in names where !known.contains(name) {
      problems.add(
        .commandLine("--methods \(names.joined(separator: ","))"), name,
        "no such method; " + OptionSchema.suggestion(for: name, among: known))
    }
    methods = methods.filter { names.contains($0.name) }
  }
}

extension SpecReader {
  fileprivate func version(_ root: YAMLNode) {
    let wanted = SweepSpec.schemaVersion
    guard let entry = root["memsweep"] else {
      problems.add(
        root.place, "memsweep", "is missing; memsweep: \(wanted) says the file's version")
      return
    }
    if entry.value.text != String(wanted) {
      problems.add(
        entry.value.place, "memsweep", "\(entry.value.kind); this program reads version \(wanted)")
    }
  }

  fileprivate func name(_ root: YAMLNode, file: String) -> String {
    guard let node = root["name"]?.value else {
      let stem = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
      let name = String(stem.map { $0.isLetter || $0.isNumber || "._-".contains($0) ? $0 : "-" })
      return isName(name) ? name : "sweep"
    }
    guard let text = node.text, isName(text) else {
      problems.add(
        node.place, "name",
        "\(node.kind); a name of letters, digits, points, - and _ is needed (it names a folder)")
      return "sweep"
    }
    return text
  }

  private func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 100 && text.first != "." && text.first != "-"
      && text.allSatisfy { $0.isLetter || $0.isNumber || "._-".contains($0) }
  }

  /// `task` and `base` together.
  fileprivate func base(_ root: YAMLNode) -> [String: SpecValue] {
    var constants: [String: SpecValue] = [:]
    var places: [String: SpecPlace] = [:]
    var all = constantsOnly(leaves(root["base"]?.value, in: "base"), "base")
    if let task = root["task"] {
      let wrapped = YAMLNode.map([task], at: task.place)
      all += constantsOnly(leaves(wrapped, in: ""), "")
    }
    for (path, value) in all {
      if places[path] != nil {
        problems.add(value.place, path, "is given under task and under base; once is enough")
      }
      places[path] = value.place
      constants[path] = value
    }
    return constants
  }

  private func constantsOnly(_ leaves: [SpecLeaf], _ prefix: String) -> [(String, SpecValue)] {
    leaves.compactMap { leaf in
      switch leaf.content {
      case .constant(let value): return (leaf.path, value)
      case .dimension:
        problems.add(
          leaf.place, join(prefix, leaf.path),
          "is a dimension; dimensions stand under parameters: or in a method")
        return nil
      }
    }
  }

  fileprivate func methods(_ node: YAMLNode?, name: String, at place: SpecPlace) -> [MethodSpec] {
    let only = [MethodSpec(name: name, place: place, constants: [:], dimensions: [])]
    guard let node else { return only }
    guard let entries = node.entries, !entries.isEmpty else {
      problems.add(node.place, "methods", "\(node.kind); a map of at least one method is needed")
      return only
    }
    return entries.map { entry in
      let path = "methods.\(entry.key)"
      if !isName(entry.key) {
        problems.add(entry.place, path, "a method's name is letters, digits, points, - and _")
      }
      var method = MethodSpec(
        name: entry.key, place: entry.place, constants: [:], dimensions: [])
      guard let inner = entry.value.entries else {
        problems.add(entry.value.place, path, "\(entry.value.kind); a map is needed")
        return method
      }
      if let node = entry.value["resources"] {
        method.resources = section(MethodResources.self, node.value, "\(path).resources")
        method.resourcesPlace = node.value["ranks_per_trial"]?.value.place ?? node.place
      }
      let settings = inner.filter { $0.key != "parameters" && $0.key != "resources" }
      for leaf in leaves(.map(settings, at: entry.value.place), in: path) {
        switch leaf.content {
        case .constant(let value): method.constants[leaf.path] = value
        case .dimension(let dimension): method.dimensions.append(dimension)
        }
      }
      let own = dimensions(entry.value["parameters"]?.value, "\(path).parameters")
      for dimension in own {
        let isTaken =
          method.constants[dimension.path] != nil
          || method.dimensions.contains { $0.path == dimension.path }
        if isTaken {
          problems.add(
            dimension.place, "\(path).parameters.\(dimension.path)",
            "the method gives it a value too; one of the two must go")
        } else {
          method.dimensions.append(dimension)
        }
      }
      return method
    }
  }

  /// The dimensions of `parameters`; a constant there is a dimension of one value.
  fileprivate func dimensions(_ node: YAMLNode?, _ path: String) -> [Dimension] {
    leaves(node, in: path).compactMap { leaf in
      switch leaf.content {
      case .dimension(let dimension): return dimension
      case .constant(let value):
        if case .list(let items) = value.content {
          problems.add(
            value.place, join(path, leaf.path),
            "is a list; a dimension is {values: [\(items.joined(separator: ", "))]}")
          return nil
        }
        return Dimension(
          path: leaf.path, place: leaf.place, domain: .values([value]),
          when: Condition(clauses: [], place: leaf.place))
      }
    }
  }

  fileprivate func zips(_ node: YAMLNode?) -> [Factor] {
    guard let node else { return [] }
    guard let nodes = node.list else {
      problems.add(node.place, "zip", "\(node.kind); a list of maps is needed")
      return []
    }
    return nodes.enumerated().compactMap { zip($0.element, "zip.\($0.offset + 1)") }
  }

  fileprivate func exclusions(_ node: YAMLNode?) -> [Condition] {
    guard let node else { return [] }
    guard let nodes = node.list else {
      problems.add(node.place, "exclude", "\(node.kind); a list of maps is needed")
      return []
    }
    return nodes.enumerated().map { condition($0.element, "exclude.\($0.offset + 1)") }
  }

  fileprivate func metric(_ node: YAMLNode?) -> MetricGoal {
    let settings = section(MetricSettings.self, node, "metric")
    let hasTarget = node?["target"] != nil
    guard let node else { return MetricGoal() }
    if let name = node["name"] {
      checkMetric(settings.name, name.value.place)
      if node["goal"] == nil {
        problems.add(name.place, "metric.goal", "is missing; maximize or minimize is needed")
      }
    } else if node["goal"] != nil || hasTarget {
      problems.add(
        node.place, "metric.name", "is missing; a metric such as validation.accuracy is needed")
    }
    if settings.stopAtTarget, !hasTarget {
      problems.add(
        node["stop_at_target"]?.place ?? node.place, "metric.stop_at_target",
        "needs metric.target, which is missing")
    }
    return MetricGoal(
      name: settings.name, direction: settings.goal, target: hasTarget ? settings.target : nil,
      stopsAtTarget: settings.stopAtTarget)
  }

  private func checkMetric(_ name: String, _ place: SpecPlace) {
    let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let splits = DataSplit.allCases.map(\.rawValue)
    guard parts.count == 2, !parts[1].isEmpty, splits.contains(String(parts[0])) else {
      problems.add(
        place, "metric.name",
        "is \"\(name)\"; one of \(splits.joined(separator: ", ")), a point and a metric is needed,"
          + " such as validation.accuracy")
      return
    }
    let known = schemas.vocabulary.metrics
    if !known.isEmpty, !known.contains(String(parts[1])) {
      problems.add(
        place, "metric.name",
        "no such metric; " + OptionSchema.suggestion(for: String(parts[1]), among: known))
    }
  }

  fileprivate func checkpoint(_ node: YAMLNode?) -> CheckpointSettings {
    var settings = section(CheckpointSettings.self, node, "checkpoint", inner: ["keep"])
    settings.keep = section(KeepSettings.self, node?["keep"]?.value, "checkpoint.keep")
    return settings
  }
}
