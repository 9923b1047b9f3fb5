import MemoryNets

/// Values by path, before they have types and defaults.
struct PathAssignment: Sendable {
  var values: [String: SpecValue]
  /// Which factors exist in this configuration.
  var isActive: [Bool]
}

/// The configurations of one method: every combination of its factors under its constants.
struct MethodSpace: Sendable {
  let method: MethodSpec
  let schemas: SpecSchemas
  /// Of `base` and of the method.
  let constants: [String: SpecValue]
  /// Shared dimensions, then zips, then the method's own dimensions; without those that never
  /// exist for this method.
  let factors: [Factor]
  let exclusions: [Condition]
  /// Factors in an order in which what `when` looks at comes first.
  private let order: [Int]
  /// A factor whose `when` depends on itself, if there is one.
  let cycle: Dimension?

  init(_ method: MethodSpec, of spec: SweepSpec) {
    self.method = method
    schemas = spec.schemas
    constants = spec.base.merging(method.constants) { $1 }
    exclusions = spec.exclusions
    let fixed = Set(method.constants.keys).union(method.dimensions.map(\.path))
    let candidates =
      spec.dimensions.filter { !fixed.contains($0.path) }.map { Factor(dimensions: [$0]) }
      + spec.zips.map { Factor(dimensions: $0.dimensions.filter { !fixed.contains($0.path) }) }
      .filter { !$0.dimensions.isEmpty }
      + method.dimensions.map { Factor(dimensions: [$0]) }
    let varied = Set(candidates.flatMap(\.dimensions).map(\.path))
    let (constants, schemas) = (constants, schemas)
    factors = candidates.filter { factor in
      factor.dimensions.allSatisfy {
        Self.canHold($0.when, constants, varied: varied, schemas)
      }
    }
    (order, cycle) = Self.order(factors)
  }

  /// Whether a condition can hold at all, as far as constants tell.
  static func canHold(
    _ condition: Condition, _ constants: [String: SpecValue], varied: Set<String>,
    _ schemas: SpecSchemas
  ) -> Bool {
    condition.clauses.allSatisfy { clause in
      varied.contains(clause.path) || varied.contains("model.cell") || varied.contains("task.kind")
        || schemas.holds(clause, for: constants)
    }
  }

  private static func order(_ factors: [Factor]) -> (order: [Int], cycle: Dimension?) {
    var owner: [String: Int] = [:]
    for (index, factor) in factors.enumerated() {
      for dimension in factor.dimensions { owner[dimension.path] = index }
    }
    let needs = factors.map { factor in
      Set(factor.dimensions.flatMap(\.when.clauses).compactMap { owner[$0.path] })
    }
    var order: [Int] = []
    var placed: Set<Int> = []
    while order.count < factors.count {
      let ready = factors.indices.filter {
        !placed.contains($0) && needs[$0].isSubset(of: placed)
      }
      if ready.isEmpty {
        let rest = factors.indices.filter { !placed.contains($0) }
        return (order + rest, rest.first.flatMap { factors[$0].dimensions.first })
      }
      order += ready
      placed.formUnion(ready)
    }
    return (order, nil)
  }

  /// The number of combinations, whether or not they exist; nil with intervals or past 2^62.
  var size: Int? {
    var size = 1
    for factor in factors {
      guard let count = factor.count else { return nil }
      let (product, overflow) = size.multipliedReportingOverflow(by: count)
      if overflow || product > 1 << 62 { return nil }
      size = product
    }
    return size
  }

  /// Whether every combination exists.
  var isFull: Bool {
    exclusions.isEmpty && factors.allSatisfy { $0.dimensions.allSatisfy(\.when.isAlways) }
  }

  /// Combination number `index`, counted from 0 with the last factor fastest; nil when it does not
  /// exist: excluded, or another one without a dimension that `when` removes.
  func assignment(_ index: Int) -> PathAssignment? {
    var rest = index
    var digits = [Int](repeating: 0, count: factors.count)
    for position in factors.indices.reversed() {
      let count = factors[position].count ?? 1
      digits[position] = rest % count
      rest /= count
    }
    let assignment = assemble { position in
      factors[position].dimensions.map { $0.domain.value(digits[position], at: $0.place) }
    }
    for position in factors.indices where !assignment.isActive[position] && digits[position] > 0 {
      return nil
    }
    return isExcluded(assignment) ? nil : assignment
  }

  /// The configuration in which every factor that exists has the chosen values.
  func assemble(_ choice: (_ factor: Int) -> [SpecValue]) -> PathAssignment {
    var assignment = PathAssignment(
      values: constants, isActive: [Bool](repeating: false, count: factors.count))
    for position in order {
      let dimensions = factors[position].dimensions
      guard dimensions.allSatisfy({ holds($0.when, for: assignment.values) }) else { continue }
      assignment.isActive[position] = true
      for (dimension, value) in zip(dimensions, choice(position)) {
        assignment.values[dimension.path] = value
      }
    }
    return assignment
  }

  func isExcluded(_ assignment: PathAssignment) -> Bool {
    exclusions.contains { !$0.isAlways && holds($0, for: assignment.values) }
  }

  private func holds(_ condition: Condition, for values: [String: SpecValue]) -> Bool {
    condition.clauses.allSatisfy { schemas.holds($0, for: values) }
  }
}

extension SpecSchemas {
  /// The schema of a section for the cell and the task among `values`.
  func schema(of section: SpecSection, for values: [String: SpecValue]) -> OptionSchema {
    switch section {
    case .train: train
    case .model: model(cell: values["model.cell"]?.text ?? model["cell"]?.value.text ?? "")
    case .task: task(kind: values["task.kind"]?.text ?? "")
    }
  }

  /// The option at a path, if the cell and the task among `values` have it.
  func field(_ path: String, for values: [String: SpecValue]) -> OptionField? {
    guard let point = path.firstIndex(of: "."),
      let section = SpecSection(rawValue: String(path[..<point]))
    else { return nil }
    return schema(of: section, for: values)[String(path[path.index(after: point)...])]
  }

  /// Whether the option has one of the clause's values, by its default where nothing is set.
  func holds(_ clause: Condition.Clause, for values: [String: SpecValue]) -> Bool {
    guard let field = field(clause.path, for: values) else { return false }
    var current = field.value
    if let value = values[clause.path] {
      guard case .success(let meaning) = value.resolve(as: field.type) else { return false }
      current = meaning
    }
    return clause.values.contains {
      if case .success(current) = $0.resolve(as: field.type) { true } else { false }
    }
  }
}
