import COpenBLAS

/// The leading part of a singular value decomposition, M = U diag(s) V^T.
///
/// By Q R = M and the decomposition of R, so that a matrix with many rows costs little more than its
/// QR, and nothing is squared. Values below 1e-7 of the largest are taken for zero.
struct SingularValues {
  /// Triples: at most as many as asked for, fewer where the rank is less.
  let count: Int
  /// U, one column of the matrix's rows after the other.
  let left: [Double]
  /// s, the largest first.
  let values: [Double]
  /// V^T (count, columns), row-major.
  let right: [Double]

  /// Of `matrix` (rows, columns), column after column; its contents are lost.
  init(of matrix: inout [Double], rows: Int, columns: Int, atMost limit: Int) {
    precondition(matrix.count == rows * columns, "\(matrix.count) numbers, \(rows) x \(columns)")
    let (m, n) = ([Int32(rows)], [Int32(columns)])
    let inner = min(rows, columns)
    var tau = [Double](repeating: 0, count: inner)
    var work = [Double](repeating: 0, count: 64 * max(columns, 1))
    let workCount = [Int32(work.count)]
    var info: Int32 = 0
    dgeqrf_(m, n, &matrix, m, &tau, &work, workCount, &info)
    precondition(info == 0, "dgeqrf: \(info)")

    // R, its own columns one after the other.
    var r = [Double](repeating: 0, count: inner * columns)
    for column in 0..<columns {
      for row in 0...min(column, inner - 1) {
        r[column * inner + row] = matrix[column * rows + row]
      }
    }
    let k = [Int32(inner)]
    var s = [Double](repeating: 0, count: inner)
    var u = [Double](repeating: 0, count: inner * inner)
    var vt = [Double](repeating: 0, count: inner * columns)
    var integers = [Int32](repeating: 0, count: 8 * inner)
    var wanted = 0.0
    dgesdd_("S", k, n, &r, k, &s, &u, k, &vt, k, &wanted, [-1], &integers, &info, 1)
    var room = [Double](repeating: 0, count: Int(wanted))
    dgesdd_("S", k, n, &r, k, &s, &u, k, &vt, k, &room, [Int32(room.count)], &integers, &info, 1)
    precondition(info == 0, "dgesdd: \(info)")

    let least = 1e-7 * (s.first ?? 0)
    count = min(limit, s.prefix { $0 > least }.count)
    values = Array(s.prefix(count))
    right = (0..<count * columns).map { vt[$0 % columns * inner + $0 / columns] }
    var q = [Double](repeating: 0, count: rows * count)
    for column in 0..<count {
      for row in 0..<inner { q[column * rows + row] = u[column * inner + row] }
    }
    if count > 0 {
      dormqr_(
        "L", "N", m, [Int32(count)], k, matrix, m, tau, &q, m, &work, workCount, &info, 1, 1)
      precondition(info == 0, "dormqr: \(info)")
    }
    left = q
  }
}
