/// What a sweep comes to: methods, their dimensions, configurations and trials.
package struct SweepPlan: Hashable, Sendable {
  /// One dimension of a method, for printing.
  package struct PlannedDimension: Hashable, Sendable {
    package let path: String
    /// `values`, `zip`, `log_uniform`, ...
    package let kind: String
    /// `1e-3, 3e-3` or `log_uniform 0.0001 to 0.1`.
    package let values: String
    /// Nil for an interval.
    package let count: Int?
    /// Whether it exists only for some values of others.
    package let isConditional: Bool
  }

  /// One row of the table.
  package struct PlannedMethod: Hashable, Sendable {
    package let name: String
    package let dimensions: [PlannedDimension]
    /// Without those that are excluded or that `when` makes equal; an upper bound if not
    /// `isExact`.
    package let configurations: Int
    package let trials: Int
    package let isExact: Bool
  }

  package let methods: [PlannedMethod]
  package let seeds: Int
  package var configurations: Int { Self.sum(methods.map(\.configurations)) }
  package var trials: Int { Self.sum(methods.map(\.trials)) }
  package var isExact: Bool { methods.allSatisfy(\.isExact) }

  /// Counts the trials of `spec`, method by method; configurations that two methods share count
  /// for each.
  package init(_ spec: SweepSpec) {
    seeds = spec.seeds.count
    methods = spec.spaces.map { space in
      let (configurations, isExact) = Self.count(space, spec)
      return PlannedMethod(
        name: space.method.name, dimensions: space.factors.flatMap(Self.dimensions),
        configurations: configurations, trials: Self.product(configurations, spec.seeds.count),
        isExact: isExact)
    }
  }

  private static func count(_ space: MethodSpace, _ spec: SweepSpec) -> (Int, isExact: Bool) {
    if spec.search.method == "random" {
      return (spec.search.trials, space.size == nil && space.isFull)
    }
    guard let size = space.size else { return (.max, false) }
    if space.isFull { return (size, true) }
    guard size <= TrialGrid.orderingLimit else { return (size, false) }
    return ((0..<size).count { space.assignment($0) != nil }, true)
  }

  private static func dimensions(_ factor: Factor) -> [PlannedDimension] {
    factor.dimensions.map { dimension in
      PlannedDimension(
        path: dimension.path,
        kind: factor.dimensions.count > 1 ? "zip" : dimension.domain.name,
        values: dimension.domain.summary, count: dimension.domain.count,
        isConditional: !dimension.when.isAlways)
    }
  }

  private static func product(_ a: Int, _ b: Int) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? .max : product
  }

  private static func sum(_ numbers: [Int]) -> Int {
    numbers.reduce(0) { sum, number in
      let (next, overflow) = sum.addingReportingOverflow(number)
      return overflow ? .max : next
    }
  }
}
