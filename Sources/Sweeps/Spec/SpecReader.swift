import MemoryNets

/// Reads the nodes of a sweep file into settings; what is wrong goes to `problems`.
struct SpecReader {
  let schemas: SpecSchemas
  let problems: ProblemList

  /// The entries of a map whose keys are among `known`; other keys are reported.
  func entries(_ node: YAMLNode, _ path: String, known: [String]) -> [YAMLEntry] {
    guard let entries = node.entries else {
      problems.add(node.place, path, "\(node.kind); a map is needed")
      return []
    }
    return entries.filter { entry in
      if known.contains(entry.key) { return true }
      problems.add(
        entry.place, join(path, entry.key),
        "no such setting; " + OptionSchema.suggestion(for: entry.key, among: known))
      return false
    }
  }

  /// A section of plain settings; `inner` names the keys that are read elsewhere.
  ///
  /// Returns the defaults where something is wrong.
  func section<O: Options>(
    _ type: O.Type, _ node: YAMLNode?, _ path: String, inner: [String] = [],
    choices: [String: [String]] = [:]
  ) -> O {
    let defaults = O()
    guard let node else { return defaults }
    var schema = OptionSchema(defaults: defaults)
    for (name, names) in choices { schema = schema.restricting(name, to: names) }
    var values: OptionDictionary = [:]
    var places: [String: SpecPlace] = [:]
    var isGood = true
    for entry in entries(node, path, known: schema.names + inner) where !inner.contains(entry.key) {
      guard let field = schema[entry.key] else { continue }
      places[entry.key] = entry.value.place
      guard let value = value(entry.value, join(path, entry.key)) else {
        isGood = false
        continue
      }
      switch value.resolve(as: field.type) {
      case .success(let value): values[entry.key] = value
      case .failure(let mismatch):
        problems.add(value.place, join(path, entry.key), mismatch.problem)
        isGood = false
      }
    }
    do throws(OptionProblems) {
      let options = try decodeOptions(defaults, from: values)
      return isGood ? options : defaults
    } catch {
      for problem in error.problems {
        let place = places[problem.option] ?? node.place
        problems.add(place, join(path, problem.option), problem.problem)
      }
      return defaults
    }
  }

  /// A text or a list of texts.
  func value(_ node: YAMLNode, _ path: String) -> SpecValue? {
    switch node.content {
    case .text("", isPlain: true):
      problems.add(node.place, path, "is empty; a value is needed")
    case .text(let text, _): return SpecValue(place: node.place, content: .text(text))
    case .map:
      problems.add(node.place, path, "is a map; a value is needed")
    case .list(let nodes):
      let items = nodes.compactMap(\.text)
      if items.count == nodes.count {
        return SpecValue(place: node.place, content: .list(items))
      }
      problems.add(node.place, path, "is a list of lists or maps; a list of values is needed")
    }
    return nil
  }

  func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
