/// Ranges of elements that are gone through as if they lay one behind the other.
package struct ElementRanges {
  private let ranges: [Range<Int>]
  /// Of all ranges together.
  package let count: Int

  package init(_ ranges: [Range<Int>]) {
    self.ranges = ranges
    count = ranges.reduce(0) { $0 + $1.count }
  }

  /// The places of share `index` of `parts`, which begin at multiples of 16.
  package func share(_ index: Int, of parts: Int) -> Range<Int> {
    func start(_ index: Int) -> Int { index == parts ? count : count * index / parts / 16 * 16 }
    return start(index)..<start(index + 1)
  }

  /// Calls `body` with the elements at `places`, a piece of a range at a time, and the place of the
  /// first.
  package func forEach(
    in places: Range<Int>, _ body: (_ elements: Range<Int>, _ place: Int) -> Void
  ) {
    var place = 0
    for range in ranges {
      let first = max(places.lowerBound, place)
      let last = min(places.upperBound, place + range.count)
      if first < last {
        let start = range.lowerBound + first - place
        body(start..<start + last - first, first)
      }
      place += range.count
      if place >= places.upperBound { return }
    }
  }
}
