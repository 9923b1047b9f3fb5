import MemoryNets

/// The sections of a trial with every default filled in, as yet without seed and metric.
struct ResolvedSections: Hashable {
  var task: OptionDictionary
  var model: OptionDictionary
  var train: OptionDictionary

  subscript(section: SpecSection) -> OptionDictionary {
    get {
      switch section {
      case .task: task
      case .model: model
      case .train: train
      }
    }
    set {
      switch section {
      case .task: task = newValue
      case .model: model = newValue
      case .train: train = newValue
      }
    }
  }
}

extension MethodSpace {
  /// Gives the values of an assignment their types and defaults.
  ///
  /// Nil when something is wrong; `problems`, if given, learns what. Ranges are checked only then.
  func resolve(_ assignment: PathAssignment, problems: ProblemList? = nil) -> ResolvedSections? {
    let values = assignment.values
    guard let kind = values["task.kind"] else {
      problems?.add(
        method.place, "task.kind",
        "is missing; one of \(schemas.vocabulary.tasks.map(\.name).joined(separator: ", ")) is needed"
      )
      return nil
    }
    // What does not exist here has been reported where it was read.
    guard schemas.vocabulary.task(named: kind.text) != nil else { return nil }
    if let cell = values["model.cell"], schemas.vocabulary.cell(named: cell.text) == nil {
      return nil
    }
    let taskSchema = schemas.schema(of: .task, for: values)
    let modelSchema = schemas.schema(of: .model, for: values)
    var resolved = ResolvedSections(
      task: taskSchema.defaults, model: modelSchema.defaults, train: schemas.train.defaults)
    var isGood = true
    for (path, value) in values {
      guard let point = path.firstIndex(of: "."),
        let section = SpecSection(rawValue: String(path[..<point]))
      else { continue }
      let name = String(path[path.index(after: point)...])
      let schema =
        switch section {
        case .task: taskSchema
        case .model: modelSchema
        case .train: schemas.train
        }
      guard let field = schema[name] else {
        problems?.add(place(of: path, value), path, notHere(name, section, values))
        isGood = false
        continue
      }
      switch value.resolve(as: field.type) {
      case .success(let meaning): resolved[section][name] = meaning
      case .failure(let mismatch):
        problems?.add(value.place, path, mismatch.problem)
        isGood = false
      }
    }
    // What was wrong is at its default here, so that ranges are looked at all the same.
    if let problems, !areInRange(resolved, values, problems) { return nil }
    return isGood ? resolved : nil
  }

  /// The parameters of an assignment: the values of its dimensions, in the order of the file.
  func parameters(_ assignment: PathAssignment, _ resolved: ResolvedSections) -> [TrialParameter] {
    factors.indices.filter { assignment.isActive[$0] }.flatMap { position in
      factors[position].dimensions.compactMap { dimension -> TrialParameter? in
        let parts = dimension.path.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let section = SpecSection(rawValue: String(parts[0])),
          let value = resolved[section][String(parts[1])]
        else { return nil }
        return TrialParameter(path: dimension.path, value: value)
      }
    }
  }

  /// Where an option is set: its dimension if there is one, not one of its values.
  private func place(of path: String, _ value: SpecValue) -> SpecPlace {
    for factor in factors {
      if let dimension = factor.dimensions.first(where: { $0.path == path }) {
        return dimension.place
      }
    }
    return value.place
  }

  /// Why an option that exists elsewhere is not one here.
  private func notHere(_ name: String, _ section: SpecSection, _ values: [String: SpecValue])
    -> String
  {
    switch section {
    case .train: return schemas.train.unknown(name).problem
    case .task:
      let kind = values["task.kind"]?.text ?? ""
      let names = schemas.task(kind: kind).names.filter { $0 != "kind" }
      return "the task \(kind) has no such option; "
        + OptionSchema.suggestion(for: name, among: names)
    case .model:
      let cell = values["model.cell"]?.text ?? schemas.model["cell"]?.value.text ?? ""
      let own = schemas.cellNames(cell)
      let owners = schemas.vocabulary.cells.map(\.name).filter {
        schemas.cellNames($0).contains(name)
      }
      let suggestion =
        own.isEmpty ? "it has none of its own" : OptionSchema.suggestion(for: name, among: own)
      let isDimension = factors.contains { $0.dimensions.contains { $0.path == "model.\(name)" } }
      let remedy =
        isDimension
        ? "; when: {model.cell: [\(owners.joined(separator: ", "))]} keeps the dimension to those that do"
        : ""
      return "the cell \(cell) has no such option; \(suggestion)\(remedy)"
    }
  }

  /// Whether `validate()` of every part is content.
  private func areInRange(
    _ resolved: ResolvedSections, _ values: [String: SpecValue], _ problems: ProblemList
  ) -> Bool {
    if problems.isKnownGood(resolved) { return true }
    do throws(OptionProblems) {
      _ = try schemas.decode(resolved)
      problems.noteGood(resolved)
      return true
    } catch {
      for problem in error.problems {
        // Decoding names problems by path.
        let place = values[problem.option]?.place ?? method.place
        problems.add(place, problem.option, problem.problem)
      }
      return false
    }
  }
}
