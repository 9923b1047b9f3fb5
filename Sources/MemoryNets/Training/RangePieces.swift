extension Range<Int> {
  /// Gives what is left of it without `holes`, which ascend.
  func forEachPiece(without holes: [Range<Int>], _ body: (Range<Int>) -> Void) {
    var start = lowerBound
    for hole in holes where hole.upperBound > start && hole.lowerBound < upperBound {
      if start < hole.lowerBound { body(start..<hole.lowerBound) }
      start = hole.upperBound
    }
    if start < upperBound { body(start..<upperBound) }
  }
}
