import COpenBLAS

/// e^A of a square matrix, row-major: the Taylor series of A / 2^s to the 18th term, with s such that
/// the largest row sum is 1 at most (remainder below 1e-17), squared s times.
func matrixExponential(_ a: [Double], size: Int) -> [Double] {
  var norm = 0.0
  for row in 0..<size {
    norm = max(norm, a[row * size..<(row + 1) * size].reduce(0) { $0 + abs($1) })
  }
  var halvings = 0
  while norm > 1 && halvings < 64 {
    norm /= 2
    halvings += 1
  }
  let scaled = a.map { $0 / power(2, halvings) }
  var result = identity(size, plus: scaled, times: 1.0 / 18)
  for term in (1..<18).reversed() {
    result = identity(
      size, plus: matrixProduct(scaled, result, size, size, size), times: 1 / Double(term))
  }
  for _ in 0..<halvings { result = matrixProduct(result, result, size, size, size) }
  return result
}

private func identity(_ size: Int, plus a: [Double], times scale: Double) -> [Double] {
  var result = a.map { $0 * scale }
  for i in 0..<size { result[i * size + i] += 1 }
  return result
}

/// A B with A (rows, inner) and B (inner, columns), row-major.
func matrixProduct(
  _ a: [Double], _ b: [Double], _ rows: Int, _ inner: Int, _ columns: Int
) -> [Double] {
  precondition(a.count == rows * inner && b.count == inner * columns, "sizes do not match")
  var c = [Double](repeating: 0, count: rows * columns)
  guard !c.isEmpty && inner > 0 else { return c }
  cblas_dgemm(
    CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows), Int32(columns), Int32(inner), 1, a,
    Int32(inner), b, Int32(columns), 0, &c, Int32(columns))
  return c
}
