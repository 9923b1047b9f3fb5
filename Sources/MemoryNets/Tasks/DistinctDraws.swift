/// Draws distinct integers below a bound, in time and order that do not depend on the bound.
final class DistinctDraws {
  private let bound: Int
  /// Between two draws all integers in ascending order.
  private let order: UnsafeMutablePointer<Int32>
  /// What was drawn last, and with which place each was swapped.
  private let drawn: UnsafeMutablePointer<Int32>
  private let places: UnsafeMutablePointer<Int>
  private let capacity: Int

  /// For up to `capacity` integers out of 0..<`bound`.
  init(below bound: Int, capacity: Int) {
    precondition(0...bound ~= capacity, "\(capacity) distinct integers below \(bound)")
    self.bound = bound
    self.capacity = capacity
    order = .allocate(capacity: max(bound, 1))
    drawn = .allocate(capacity: max(capacity, 1))
    places = .allocate(capacity: max(capacity, 1))
    drawn.initialize(repeating: 0, count: max(capacity, 1))
    for i in 0..<bound { order[i] = Int32(i) }
  }

  deinit {
    order.deallocate()
    drawn.deallocate()
    places.deallocate()
  }

  /// Number `i` of the integers that were drawn last.
  subscript(i: Int) -> Int32 { drawn[i] }

  /// Draws `count` integers in random order.
  func draw(_ count: Int, _ draws: inout PhiloxStream) {
    precondition(0...capacity ~= count, "\(count) of \(capacity) integers")
    for i in 0..<count {
      let place = i + draws.integer(below: bound - i)
      places[i] = place
      drawn[i] = order[place]
      order[place] = order[i]
      order[i] = drawn[i]
    }
    for i in stride(from: count - 1, through: 0, by: -1) {
      let last = order[i]
      order[i] = order[places[i]]
      order[places[i]] = last
    }
  }
}
