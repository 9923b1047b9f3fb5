import MemoryNets

/// Every combination of the values of a sweep, each with every seed.
///
/// All configurations come with the first seed before any comes with the second. Combinations are
/// numbered and made when asked for, so that a million take no memory. A configuration that two
/// methods share belongs to the first of them. Up to `orderingLimit` combinations are counted
/// exactly and can be ordered by cost; of more, duplicates are not removed and the order is that of the file.
package final class TrialGrid: TrialSource {
  /// How many combinations are looked at before the first is handed out.
  package static let orderingLimit = 100_000

  package let count: Int?
  private let spec: SweepSpec
  private let identifier: TrialIdentifier
  private let spaces: [MethodSpace]
  private let sizes: [Int]
  /// The configurations in the order in which they start; nil when there are too many.
  private var order: [(space: Int, index: Int)]?
  private var seedNumber = 0
  private var position = 0
  private var spaceNumber = 0

  /// The grid of `spec`, with the configurations of the greatest `cost` first if that is given.
  package init(
    _ spec: SweepSpec, identifier: TrialIdentifier,
    cost: ((TrialConfiguration) -> Double)? = nil
  ) {
    self.spec = spec
    self.identifier = identifier
    spaces = spec.spaces
    sizes = spaces.map { $0.size ?? 0 }
    var total = 0
    for size in sizes { total = total.addingReportingOverflow(size).overflow ? .max : total + size }
    guard total <= Self.orderingLimit else {
      let (trials, overflow) = total.multipliedReportingOverflow(by: spec.seeds.count)
      count = spaces.allSatisfy(\.isFull) && !overflow && total < .max ? trials : nil
      return
    }
    let order = Self.order(spec, spaces, identifier, cost)
    self.order = order
    count = order.count * spec.seeds.count
  }

  package func next() -> Trial? {
    while seedNumber < spec.seeds.count {
      let seed = spec.seeds.first + seedNumber
      if let order {
        if position < order.count {
          let (space, index) = order[position]
          position += 1
          if let trial = trial(space, index, seed: seed) { return trial }
          continue
        }
      } else {
        while spaceNumber < spaces.count {
          if position < sizes[spaceNumber] {
            position += 1
            if let trial = trial(spaceNumber, position - 1, seed: seed) { return trial }
          } else {
            spaceNumber += 1
            position = 0
          }
        }
      }
      seedNumber += 1
      position = 0
      spaceNumber = 0
    }
    return nil
  }

  private func trial(_ number: Int, _ index: Int, seed: Int) -> Trial? {
    let space = spaces[number]
    guard let assignment = space.assignment(index) else { return nil }
    return spec.trial(space, assignment, seed: seed, identifier)
  }

  /// The combinations that exist, each configuration once, by falling cost.
  private static func order(
    _ spec: SweepSpec, _ spaces: [MethodSpace], _ identifier: TrialIdentifier,
    _ cost: ((TrialConfiguration) -> Double)?
  ) -> [(space: Int, index: Int)] {
    var seen: Set<TrialIdentity> = []
    var found: [(space: Int, index: Int, cost: Double)] = []
    for (number, space) in spaces.enumerated() {
      for index in 0..<(space.size ?? 0) {
        guard let assignment = space.assignment(index),
          let trial = spec.trial(space, assignment, seed: spec.seeds.first, identifier),
          seen.insert(trial.identity).inserted
        else { continue }
        found.append((number, index, cost?(trial.configuration) ?? 0))
      }
    }
    return stablyOrdered(found, by: \.cost).map { ($0.space, $0.index) }
  }
}

/// The elements by falling `cost`, equal ones as they were; what is no number comes last.
func stablyOrdered<Element>(_ elements: [Element], by cost: (Element) -> Double) -> [Element] {
  let keys = elements.map { element in
    let value = cost(element)
    return value.isNaN ? -Double.infinity : value
  }
  return elements.indices.sorted { (-keys[$0], $0) < (-keys[$1], $1) }.map { elements[$0] }
}

extension SweepSpec {
  /// The trial of an assignment with a seed; nil when the assignment has no meaning, which a
  /// checked sweep has only where it is too large to be looked at as a whole.
  func trial(
    _ space: MethodSpace, _ assignment: PathAssignment, seed: Int, _ identifier: TrialIdentifier
  ) -> Trial? {
    guard let sections = space.resolve(assignment) else { return nil }
    let configuration = TrialConfiguration(
      task: sections.task, model: sections.model, train: sections.train, seed: seed,
      vary: Set(seeds.vary), metric: metric, sharing: sharing(of: space.method))
    return Trial(
      identity: identifier.identity(of: configuration), method: space.method.name,
      parameters: space.parameters(assignment, sections), configuration: configuration,
      ranks: ranks(of: space.method))
  }
}
