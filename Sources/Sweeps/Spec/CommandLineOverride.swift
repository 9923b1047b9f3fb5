import MemoryNets

/// A setting of the command line, `path=value`, put into the file before it is read.
struct CommandLineOverride {
  private let path: [String]
  private let values: [YAMLNode]
  private let place: SpecPlace

  private var dotted: String { path.joined(separator: ".") }
  private var isOfConfiguration: Bool { SpecSection(rawValue: path[0]) != nil && path.count > 1 }

  /// Nil, with a problem, for an argument that is not `path=value`.
  init?(_ argument: String, schemas: SpecSchemas, problems: ProblemList) {
    place = .commandLine(argument)
    guard let sign = argument.firstIndex(of: "="), sign != argument.startIndex else {
      problems.add(place, "", "path=value is needed, such as train.learning_rate=1e-3,3e-3")
      return nil
    }
    path = argument[..<sign].split(separator: ".", omittingEmptySubsequences: false).map(
      String.init)
    let text = String(argument[argument.index(after: sign)...])
    guard path.allSatisfy({ !$0.isEmpty }) else {
      problems.add(place, "", "a path has names between its points")
      return nil
    }
    if text.hasPrefix("{") || text.hasPrefix("[") {
      guard let node = YAMLDocument(text, argument: argument, problems: problems).root else {
        return nil
      }
      values = [node]
    } else {
      let place = place
      values = text.split(separator: ",", omittingEmptySubsequences: false).map {
        YAMLNode(place: place, content: .text(String($0), isPlain: true))
      }
    }
  }

  /// Puts the setting where the file would have it, in place of what the file says.
  func apply(to root: inout YAMLNode) {
    guard isOfConfiguration else {
      root.set(values.count == 1 ? values[0] : list, at: path)
      return
    }
    var isDimension = values.count > 1
    if values.count == 1, case .map = values[0].content { isDimension = true }
    var parameters = root["parameters"]?.value ?? .map([], at: place)
    let former = parameters.remove(dotted)
    removeFromZip(&root)
    if isDimension {
      var dimension =
        values.count > 1
        ? YAMLNode.map([YAMLEntry(key: "values", place: place, value: list)], at: place) : values[0]
      if let when = former?["when"], dimension["when"] == nil {
        dimension.content = .map((dimension.entries ?? []) + [when])
      }
      parameters.set(dimension, at: [dotted])
    } else {
      var base = root["base"]?.value ?? .map([], at: place)
      base.remove(dotted)
      var task = YAMLNode.map(root["task"].map { [$0] } ?? [], at: place)
      task.remove(dotted)
      if let rest = task["task"] { root.set(rest.value, at: ["task"]) }
      base.set(values[0], at: [dotted])
      root.set(base, at: ["base"])
    }
    if parameters.entries?.isEmpty == false || root["parameters"] != nil {
      root.set(parameters, at: ["parameters"])
    }
  }

  /// Adds a problem where every method has a value of its own, which is stronger.
  func checkEffect(on methods: [MethodSpec], _ problems: ProblemList) {
    let isFixed = methods.map { method in
      method.constants[dotted] != nil || method.dimensions.contains { $0.path == dotted }
    }
    guard isOfConfiguration, let method = methods.first, !isFixed.contains(false) else { return }
    problems.add(
      place, dotted,
      "changes nothing: every method that is run sets it itself; "
        + "methods.\(method.name).\(dotted)=... changes one")
  }

  private var list: YAMLNode { YAMLNode(place: place, content: .list(values)) }

  private func removeFromZip(_ root: inout YAMLNode) {
    guard let zip = root["zip"]?.value, var groups = zip.list else { return }
    for index in groups.indices { groups[index].remove(dotted) }
    groups.removeAll { $0.entries?.isEmpty == true }
    root.set(YAMLNode(place: zip.place, content: .list(groups)), at: ["zip"])
  }
}
