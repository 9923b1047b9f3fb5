import MemoryNets

extension SweepSpec {
  /// Methods with at most this many combinations are checked in every one; of others, every value
  /// is, with the first ones of the other dimensions.
  static let exhaustiveLimit = 10_000

  /// The configurations of each method, in the order of the file.
  var spaces: [MethodSpace] { methods.map { MethodSpace($0, of: self) } }

  /// Checks what can only be told from the file as a whole.
  func check(_ problems: ProblemList) {
    checkPaths(problems)
    checkTeams(problems)
    for method in methods { checkConflicts(of: method, problems) }
    guard !problems.isFull else { return }
    var names: [GradientSharing: [Set<ResolvedSections>: String]] = [:]
    for space in spaces {
      if let cycle = space.cycle {
        problems.add(
          cycle.place, cycle.path, "its when depends on itself, through other dimensions")
        return
      }
      let all = checkValues(space, problems)
      guard problems.isEmpty, methods.count > 1, !all.isEmpty else { continue }
      let sharing = sharing(of: space.method)
      if let other = names[sharing]?[all] {
        problems.add(
          space.method.place, "methods.\(space.method.name)",
          "is the same as \(other), with every default filled in; one of the two must go")
      }
      names[sharing, default: [:]][all] = names[sharing]?[all] ?? space.method.name
    }
  }

  // MARK: - Paths

  private func checkPaths(_ problems: ProblemList) {
    var shared: [String: SpecPlace] = [:]
    for dimension in dimensions + zips.flatMap(\.dimensions) {
      if shared.updateValue(dimension.place, forKey: dimension.path) != nil {
        problems.add(
          dimension.place, dimension.path, "is among parameters and zip more than once")
      }
    }
    let known = Set(base.keys).union(shared.keys)
      .union(methods.flatMap { Array($0.constants.keys) + $0.dimensions.map(\.path) })
    var conditions = exclusions.map { ("exclude", $0) }
    conditions += (dimensions + methods.flatMap(\.dimensions)).map { ("when", $0.when) }
    for (name, condition) in conditions {
      for clause in condition.clauses where !known.contains(clause.path) {
        problems.add(
          clause.place, "\(name).\(clause.path)",
          "is neither set nor a dimension in this file; set it in base or in a method, or vary it;"
            + " set are \(known.sorted().joined(separator: ", "))")
      }
    }
    guard search.method == "grid" else { return }
    for dimension in dimensions + methods.flatMap(\.dimensions) where dimension.domain.count == nil
    {
      problems.add(
        dimension.place, dimension.path,
        "\(dimension.domain.name) has no end of values, a grid needs values, integers or range;"
          + " or choose search: {method: random}")
    }
  }

  private func checkConflicts(of method: MethodSpec, _ problems: ProblemList) {
    let constants = base.merging(method.constants) { $1 }
    let varied = Set((dimensions + zips.flatMap(\.dimensions) + method.dimensions).map(\.path))
    for dimension in dimensions + zips.flatMap(\.dimensions) {
      let own =
        method.constants[dimension.path]?.place
        ?? method.dimensions.first { $0.path == dimension.path }?.place
      guard let own,
        MethodSpace.canHold(
          dimension.when, constants, varied: varied.subtracting(method.constants.keys), schemas)
      else { continue }
      problems.add(
        own, "methods.\(method.name).\(dimension.path)",
        "is also a dimension of all methods (\(describe(dimension.place))); give it to the other"
          + " methods' own parameters, or add a when: there")
    }
  }

  private func describe(_ place: SpecPlace) -> String {
    switch place {
    case .file(let line, _): "line \(line)"
    case .commandLine(let argument): "command line: \(argument)"
    }
  }

  // MARK: - Values

  /// Decodes configurations of a method and reports every value that cannot be used.
  ///
  /// Returns all configurations, of several methods that can be looked at as a whole.
  private func checkValues(
    _ space: MethodSpace, _ problems: ProblemList
  ) -> Set<ResolvedSections> {
    var all: Set<ResolvedSections> = []
    var found = false
    if let size = space.size, size <= Self.exhaustiveLimit {
      for index in 0..<size {
        guard let assignment = space.assignment(index) else { continue }
        found = true
        let sections = space.resolve(assignment, problems: problems)
        if let sections { checkBatch(sections, assignment, of: space, problems) }
        if methods.count > 1, let sections { all.insert(sections) }
        if problems.isFull { return [] }
      }
    } else {
      found = checkEachValue(space, problems)
    }
    if !found, problems.isEmpty {
      let place = exclusions.first?.place ?? space.method.place
      problems.add(
        place, "exclude", "leaves no configuration of the method \(space.method.name)")
    }
    return all
  }

  private func checkBatch(
    _ sections: ResolvedSections, _ assignment: PathAssignment, of space: MethodSpace,
    _ problems: ProblemList
  ) {
    guard let problem = batchProblem(sections, space.method) else { return }
    let path = "train.batch_size"
    problems.add(assignment.values[path]?.place ?? space.method.place, path, problem)
  }

  private func checkEachValue(_ space: MethodSpace, _ problems: ProblemList) -> Bool {
    let samples = space.factors.map { factor -> [[SpecValue]] in
      if factor.dimensions.count == 1, let only = factor.dimensions.first {
        return only.domain.samples(at: only.place).map { [$0] }
      }
      return (0..<(factor.count ?? 1)).map { index in
        factor.dimensions.map { $0.domain.value(index, at: $0.place) }
      }
    }
    var found = false
    for position in samples.indices {
      for sample in samples[position] {
        let assignment = space.assemble { $0 == position ? sample : samples[$0][0] }
        found = found || !space.isExcluded(assignment)
        if let sections = space.resolve(assignment, problems: problems) {
          checkBatch(sections, assignment, of: space, problems)
        }
        if problems.isFull { return true }
      }
    }
    guard !found, let size = space.size else { return true }
    return (0..<min(size, 1_000_000)).contains { space.assignment($0) != nil }
  }
}
