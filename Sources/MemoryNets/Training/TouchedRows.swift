/// The rows of a table of embeddings that a batch looks up.
///
/// The gradient of every other row is zero and stays so: clearing, norms and plain gradient descent
/// go through these rows alone. A vocabulary of 10,000 words of which a batch uses 300 costs as much
/// as one of 300.
package final class TouchedRows {
  /// The table's elements within the flat buffers, or those of the gradients of its lookups alone.
  package let range: Range<Int>
  /// The first element of the gradient that lookups are added to, where they stand apart from it.
  let sum: Int?
  /// Elements of a row.
  package let rowSize: Int
  /// Ascending; the first `count` hold.
  private let rows: UnsafeMutablePointer<Int32>
  private var count = 0
  /// By row, whether it is among `rows`.
  private let isTouched: UnsafeMutableBufferPointer<Bool>

  init(_ view: ParameterView, room: Plan.LookupRoom? = nil) {
    let offset = room?.room ?? view.offset
    range = offset..<offset + view.count
    sum = room?.gradient
    rowSize = view.shape[1]
    rows = .allocate(capacity: max(view.shape[0], 1))
    isTouched = .allocate(capacity: view.shape[0])
    isTouched.initialize(repeating: false)
  }

  deinit {
    rows.deallocate()
    isTouched.deallocate()
  }

  /// Takes the rows that `tokens` look up for the touched ones.
  func touch(_ tokens: UnsafeMutableBufferPointer<Int32>) {
    for i in 0..<count { isTouched[Int(rows[i])] = false }
    for token in tokens { isTouched[Int(token)] = true }
    count = 0
    for row in isTouched.indices where isTouched[row] {
      rows[count] = Int32(row)
      count += 1
    }
  }

  /// The elements of each touched row, within the flat buffers.
  package func forEach(_ body: (Range<Int>) -> Void) {
    for i in 0..<count {
      let first = range.lowerBound + Int(rows[i]) * rowSize
      body(first..<first + rowSize)
    }
  }
}
