import MemoryNets

/// What stands at a path of the configuration: a constant or a dimension.
struct SpecLeaf {
  enum Content {
    case constant(SpecValue)
    case dimension(Dimension)
  }

  let path: String
  let place: SpecPlace
  let content: Content
}

extension SpecReader {
  /// The constants and dimensions of a map with dotted or nested paths; `prefix` is where it
  /// stands, for messages.
  func leaves(_ node: YAMLNode?, in prefix: String) -> [SpecLeaf] {
    guard let node else { return [] }
    guard let entries = node.entries else {
      problems.add(node.place, prefix, "\(node.kind); a map of task, model and train is needed")
      return []
    }
    var leaves: [SpecLeaf] = []
    for entry in entries { read(entry, path: entry.key, prefix, into: &leaves) }
    var places: [String: SpecPlace] = [:]
    return leaves.filter { leaf in
      if places.updateValue(leaf.place, forKey: leaf.path) == nil { return true }
      problems.add(leaf.place, join(prefix, leaf.path), "is given twice, dotted and nested")
      return false
    }
  }

  private func read(
    _ entry: YAMLEntry, path: String, _ prefix: String, into leaves: inout [SpecLeaf]
  ) {
    guard path.contains(".") else {
      guard SpecSection(rawValue: path) != nil else {
        problems.add(
          entry.place, join(prefix, path),
          noSuchSection(path))
        return
      }
      guard let inner = entry.value.entries else {
        problems.add(entry.value.place, join(prefix, path), "\(entry.value.kind); a map is needed")
        return
      }
      for entry in inner { read(entry, path: "\(path).\(entry.key)", prefix, into: &leaves) }
      return
    }
    guard isKnown(path, at: entry.place, prefix) else { return }
    let full = join(prefix, path)
    if case .map(let operators) = entry.value.content {
      if let dimension = dimension(path, entry, operators, full) {
        leaves.append(SpecLeaf(path: path, place: entry.place, content: .dimension(dimension)))
      }
    } else if let value = value(entry.value, full), fits(value, path, full) || isSelector(path) {
      leaves.append(SpecLeaf(path: path, place: entry.place, content: .constant(value)))
    }
  }

  /// Whether some cell or task has the option; reports it if not.
  func isKnown(_ path: String, at place: SpecPlace, _ prefix: String) -> Bool {
    let parts = path.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let section = SpecSection(rawValue: String(parts[0])) else {
      problems.add(place, join(prefix, path), noSuchSection(String(parts[0])))
      return false
    }
    let names = schemas.names(in: section)
    if names.contains(String(parts[1])) { return true }
    problems.add(
      place, join(prefix, path),
      "no such option; " + OptionSchema.suggestion(for: String(parts[1]), among: names))
    return false
  }

  private func noSuchSection(_ name: String) -> String {
    // An option without its section?
    let paths = SpecSection.allCases.filter { schemas.names(in: $0).contains(name) }
    if let section = paths.first { return "no such section; did you mean \(section).\(name)?" }
    let sections = SpecSection.allCases.map(\.rawValue)
    return "no such section; " + OptionSchema.suggestion(for: name, among: sections)
  }

  /// Whether the value can be meant for one of the types that the option has; reports it if not.
  func fits(_ value: SpecValue, _ path: String, _ full: String) -> Bool {
    let types = types(of: path)
    var mismatch: OptionTypeMismatch?
    for type in types {
      switch value.resolve(as: type) {
      case .success: return true
      case .failure(let failure): mismatch = mismatch ?? failure
      }
    }
    problems.add(value.place, full, mismatch?.problem ?? "cannot be used")
    return false
  }

  /// Whether the path chooses which other options there are; its value is kept even when it is
  /// wrong, so that one mistake is not reported as many.
  private func isSelector(_ path: String) -> Bool { path == "task.kind" || path == "model.cell" }

  private func types(of path: String) -> [OptionType] {
    let parts = path.split(separator: ".", maxSplits: 1)
    guard parts.count == 2, let section = SpecSection(rawValue: String(parts[0])) else { return [] }
    return schemas.types(of: String(parts[1]), in: section)
  }

  // MARK: - Dimensions

  private func dimension(
    _ path: String, _ entry: YAMLEntry, _ operators: [YAMLEntry], _ full: String
  ) -> Dimension? {
    var domain: Domain?
    var count = 0
    var hasUnknown = false
    var when = Condition(clauses: [], place: entry.place)
    for operation in operators {
      if operation.key == "when" {
        when = condition(operation.value, full + ".when")
      } else if Domain.names.contains(operation.key) {
        count += 1
        domain = self.domain(operation, path, full)
      } else {
        hasUnknown = true
        problems.add(
          operation.place, full,
          "\(operation.key) is no kind of dimension; "
            + OptionSchema.suggestion(for: operation.key, among: Domain.names + ["when"]))
      }
    }
    if count != 1, count > 1 || !hasUnknown {
      problems.add(
        entry.value.place, full,
        "is a map with \(count == 0 ? "none" : "several") of \(Domain.names.joined(separator: ", "));"
          + " a dimension has one")
      return nil
    }
    guard let domain else { return nil }
    return Dimension(path: path, place: entry.place, domain: domain, when: when)
  }

  private func domain(_ operation: YAMLEntry, _ path: String, _ full: String) -> Domain? {
    let node = operation.value
    guard let nodes = node.list, !nodes.isEmpty else {
      problems.add(node.place, full, "\(operation.key) \(node.kind); a list is needed")
      return nil
    }
    if operation.key == "values" {
      return values(nodes, path, full).map(Domain.values)
    }
    let numbers = nodes.compactMap { node -> Double? in
      guard let text = node.text else {
        problems.add(node.place, full, "\(node.kind); a number is needed")
        return nil
      }
      switch OptionType.number.parse(text) {
      case .success(.number(let number)): return number
      case .success: return nil
      case .failure(let mismatch):
        problems.add(node.place, full, mismatch.problem)
        return nil
      }
    }
    guard numbers.count == nodes.count else { return nil }
    func refuse(_ form: String) -> Domain? {
      let text = numbers.map { "\(OptionValue.number($0).text)" }.joined(separator: ", ")
      problems.add(node.place, full, "\(operation.key) is [\(text)]; \(form) is needed")
      return nil
    }
    let wanted = operation.key == "range" ? 3 : 2
    let form = wanted == 3 ? "[first, last, step]" : "[lowest, highest]"
    guard numbers.count == wanted else { return refuse(form) }
    let (first, last) = (numbers[0], numbers[1])
    let isContinuous = operation.key.hasSuffix("uniform")
    if isContinuous, !types(of: path).contains(.number) {
      problems.add(
        operation.place, full, "\(operation.key) draws numbers; use integers, range or values here")
      return nil
    }
    guard isContinuous ? first < last : first <= last else {
      return refuse("\(form), the lowest first,")
    }
    switch operation.key {
    case "uniform": return .uniform(first, last)
    case "log_uniform":
      return first > 0 ? .logUniform(first, last) : refuse("\(form) above 0")
    case "integers":
      guard first == first.rounded(), last == last.rounded(), abs(first) < 0x1p53,
        abs(last) < 0x1p53, last - first < 1e6
      else { return refuse("\(form), integers at most a million apart,") }
      return .integers(Int(first), Int(last))
    default:
      guard numbers[2] > 0, (last - first) / numbers[2] < 1e6 else {
        return refuse("\(form) with a step above 0 and at most a million values")
      }
      return .range(first, last, numbers[2])
    }
  }

  /// The values of a dimension, each once.
  func values(_ nodes: [YAMLNode], _ path: String, _ full: String) -> [SpecValue]? {
    let types = types(of: path)
    var seen: Set<OptionValue> = []
    var result: [SpecValue] = []
    for node in nodes {
      guard let value = value(node, full), fits(value, path, full) || isSelector(path) else {
        continue
      }
      if types.count == 1, case .success(let meaning) = value.resolve(as: types[0]),
        !seen.insert(meaning).inserted
      {
        problems.add(value.place, full, "\(value.text) is among the values twice")
      }
      result.append(value)
    }
    return result.count == nodes.count ? result : nil
  }

  /// A map of paths to a value or a list of values.
  func condition(_ node: YAMLNode, _ full: String) -> Condition {
    var condition = Condition(clauses: [], place: node.place)
    guard let entries = node.entries, !entries.isEmpty else {
      problems.add(node.place, full, "\(node.kind); a map of paths to values is needed")
      return condition
    }
    var flat: [(path: String, entry: YAMLEntry)] = []
    for entry in entries {
      if !entry.key.contains("."), let inner = entry.value.entries, !inner.isEmpty {
        flat += inner.map { ("\(entry.key).\($0.key)", $0) }
      } else {
        flat.append((entry.key, entry))
      }
    }
    for (path, entry) in flat {
      guard isKnown(path, at: entry.place, full) else { continue }
      let name = join(full, path)
      let isList = types(of: path).contains { if case .list = $0 { true } else { false } }
      let nodes = isList ? [entry.value] : entry.value.list ?? [entry.value]
      let values = nodes.compactMap { value($0, name) }.filter { fits($0, path, name) }
      guard values.count == nodes.count, !values.isEmpty else { continue }
      condition.clauses.append(.init(path: path, place: entry.place, values: values))
    }
    return condition
  }

  /// One map of `zip`: paths with equally long lists.
  func zip(_ node: YAMLNode, _ full: String) -> Factor? {
    guard let entries = node.entries, !entries.isEmpty else {
      problems.add(node.place, full, "\(node.kind); a map of paths to lists of values is needed")
      return nil
    }
    var flat: [(path: String, entry: YAMLEntry)] = []
    for entry in entries {
      if !entry.key.contains("."), let inner = entry.value.entries {
        flat += inner.map { ("\(entry.key).\($0.key)", $0) }
      } else {
        flat.append((entry.key, entry))
      }
    }
    var dimensions: [Dimension] = []
    for (path, entry) in flat where isKnown(path, at: entry.place, full) {
      let name = join(full, path)
      guard let nodes = entry.value.list, !nodes.isEmpty else {
        problems.add(entry.value.place, name, "\(entry.value.kind); a list of values is needed")
        continue
      }
      // A value may return here: only the combination of all paths is new each time.
      let values = nodes.compactMap { value($0, name) }.filter { fits($0, path, name) }
      guard values.count == nodes.count else { continue }
      dimensions.append(
        Dimension(
          path: path, place: entry.place, domain: .values(values),
          when: Condition(clauses: [], place: entry.place)))
    }
    guard let first = dimensions.first else { return nil }
    for other in dimensions where other.domain.count != first.domain.count {
      problems.add(
        other.place, join(full, other.path),
        "has \(other.domain.count ?? 0) values and \(first.path) has \(first.domain.count ?? 0);"
          + " zip pairs lists of equal length")
      return nil
    }
    return Factor(dimensions: dimensions)
  }
}
