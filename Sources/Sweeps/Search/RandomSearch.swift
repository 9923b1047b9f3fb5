import MemoryNets

/// Configurations drawn at random, as many for each method, each with every seed.
///
/// The value of a dimension is a function of `search.key`, the draw's number and the dimension's
/// path alone: draw 7 gives every method the same values of the shared dimensions, more
/// trials add draws to those there were, and a further dimension does not change the others.
package final class RandomSearch: TrialSource {
  /// How often an excluded configuration is drawn again.
  static let attempts = 100

  package var count: Int? { order.map { $0.count * spec.seeds.count } }
  private let spec: SweepSpec
  private let identifier: TrialIdentifier
  private let spaces: [MethodSpace]
  private let key: PhiloxKey
  /// The draws in the order in which they start; nil when there are too many.
  private var order: [(space: Int, draw: Int)]?
  private var seedNumber = 0
  private var position = 0

  /// The draws of `spec`, those of the greatest `cost` first if that is given.
  package init(
    _ spec: SweepSpec, identifier: TrialIdentifier,
    cost: ((TrialConfiguration) -> Double)? = nil
  ) {
    self.spec = spec
    self.identifier = identifier
    spaces = spec.spaces
    key = PhiloxKey(UInt64(spec.search.key)).derived("random search")
    let (total, overflow) = spec.search.trials.multipliedReportingOverflow(by: spaces.count)
    guard !overflow, total <= TrialGrid.orderingLimit else { return }
    var seen: Set<TrialIdentity> = []
    var found: [(space: Int, draw: Int, cost: Double)] = []
    for index in 0..<total {
      guard let trial = trial(index, seed: spec.seeds.first),
        seen.insert(trial.identity).inserted
      else { continue }
      let (draw, space) = index.quotientAndRemainder(dividingBy: spaces.count)
      found.append((space, draw, cost?(trial.configuration) ?? 0))
    }
    order = stablyOrdered(found, by: \.cost).map { ($0.space, $0.draw) }
  }

  package func next() -> Trial? {
    let total = order?.count ?? spec.search.trials * spaces.count
    while seedNumber < spec.seeds.count {
      while position < total {
        var index = position
        if let order { index = order[position].draw * spaces.count + order[position].space }
        position += 1
        if let trial = trial(index, seed: spec.seeds.first + seedNumber) { return trial }
      }
      seedNumber += 1
      position = 0
    }
    return nil
  }

  private func trial(_ index: Int, seed: Int) -> Trial? {
    let (draw, number) = index.quotientAndRemainder(dividingBy: spaces.count)
    let space = spaces[number]
    for attempt in 0..<Self.attempts {
      let assignment = space.assemble { values(of: space.factors[$0], draw, attempt) }
      if space.isExcluded(assignment) { continue }
      return spec.trial(space, assignment, seed: seed, identifier)
    }
    return nil
  }

  private func values(of factor: Factor, _ draw: Int, _ attempt: Int) -> [SpecValue] {
    guard let first = factor.dimensions.first else { return [] }
    let key = key.derived(first.path).derived(UInt64(draw))
    var stream = PhiloxStream(key: key, stream: UInt64(attempt))
    if factor.dimensions.count == 1 { return [first.domain.draw(&stream, at: first.place)] }
    let index = stream.integer(below: factor.count ?? 1)
    return factor.dimensions.map { $0.domain.value(index, at: $0.place) }
  }
}

extension SearchRegistry {
  /// The trials of a sweep by its `search.method`, the longest expected first if `cost` is given.
  package static func source(
    _ spec: SweepSpec, identifier: TrialIdentifier,
    cost: ((TrialConfiguration) -> Double)? = nil
  ) -> any TrialSource {
    switch spec.search.method {
    case "random": RandomSearch(spec, identifier: identifier, cost: cost)
    default: TrialGrid(spec, identifier: identifier, cost: cost)
    }
  }
}
