import COpenBLAS

extension LinearAutoencoder {
  /// Delays of a slice: as many columns enter as stay, which costs least.
  private static func delays(memorySize: Int, inputSize: Int) -> Int {
    max(1, memorySize / inputSize)
  }

  /// Bytes that a fit takes beside the sequences, for `count` vectors in all.
  package static func fittingBytes(count: Int, inputSize: Int, memorySize: Int) -> Int {
    let slice = delays(memorySize: memorySize, inputSize: inputSize) * inputSize
    return count * (slice + 3 * memorySize) * MemoryLayout<Double>.stride
  }

  /// The autoencoder with `memorySize` features of `sequences`; with `centers` of their deviations
  /// from the mean over all steps.
  ///
  /// The data matrix is never made: its columns are the inputs of one delay, and slices of some
  /// `delays`, the longest first, are each decomposed beside what stays of those before.
  package init(
    fitting sequences: VectorSequences, memorySize: Int, centers: Bool = false,
    delays: Int? = nil
  ) {
    let (rows, size) = (sequences.count, sequences.size)
    var mean = [Double](repeating: 0, count: size)
    if centers && rows > 0 {
      for (i, value) in sequences.values.enumerated() { mean[i % size] += value }
      mean = mean.map { $0 / Double(rows) }
    }
    let steps = sequences.lengths.max() ?? 0
    let delays = delays ?? Self.delays(memorySize: memorySize, inputSize: size)
    var kept: [Double] = []  // V L, column after column
    var count = 0
    var parts: SingularValues?
    for first in stride(from: 0, to: steps, by: delays).reversed() {
      let blocks = min(delays, steps - first)
      var matrix: [Double] = []
      matrix.reserveCapacity(rows * (blocks * size + count))
      for delay in first..<first + blocks {
        for feature in 0..<size {
          Self.append(sequences, feature, delay: delay, mean: mean[feature], to: &matrix)
        }
      }
      matrix.append(contentsOf: kept)
      kept = []
      let found = SingularValues(
        of: &matrix, rows: rows, columns: blocks * size + count, atMost: memorySize)
      count = found.count
      parts = found
      if first > 0 {
        kept = found.left
        for i in kept.indices { kept[i] *= found.values[i / rows] }
      }
    }

    inputSize = size
    self.memorySize = memorySize
    self.mean = mean
    singularValues = parts?.values ?? []
    var a = [Double](repeating: 0, count: memorySize * size)
    var b = [Double](repeating: 0, count: memorySize * memorySize)
    if let parts {
      let width = parts.right.count / max(parts.count, 1)
      let moved = Self.shifted(parts.left, sequences.lengths)
      for i in 0..<parts.count {
        for feature in 0..<size { a[i * size + feature] = parts.right[i * width + feature] }
      }
      // V^T R V, row-major: V is stored column after column.
      var product = [Double](repeating: 0, count: parts.count * parts.count)
      if parts.count > 0 {
        let (n, m) = (Int32(parts.count), Int32(rows))
        cblas_dgemm(
          CblasRowMajor, CblasNoTrans, CblasTrans, n, n, m, 1, parts.left, m, moved, m, 0,
          &product, n)
      }
      for i in 0..<parts.count {
        for j in 0..<parts.count {
          b[i * memorySize + j] =
            product[i * parts.count + j] * parts.values[j] / parts.values[i]
        }
      }
    }
    encoder = a
    recurrence = b
  }

  /// A column of the data matrix: a feature of the inputs, `delay` steps late in each sequence.
  private static func append(
    _ sequences: VectorSequences, _ feature: Int, delay: Int, mean: Double,
    to matrix: inout [Double]
  ) {
    var start = 0
    for length in sequences.lengths {
      for step in 0..<length {
        matrix.append(
          step < delay
            ? 0 : sequences.values[(start + step - delay) * sequences.size + feature] - mean)
      }
      start += length
    }
  }

  /// Every column a step later within each sequence.
  private static func shifted(_ columns: [Double], _ lengths: [Int]) -> [Double] {
    var result = columns
    var start = 0
    while start < columns.count {
      for length in lengths {
        for i in stride(from: start + length - 1, to: start, by: -1) { result[i] = columns[i - 1] }
        result[start] = 0
        start += length
      }
    }
    return result
  }
}
