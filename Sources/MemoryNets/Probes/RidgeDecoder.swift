import COpenBLAS

/// Linear read-outs from states, by ridge regression with an intercept.
///
///     X = U S V^T of the centred states,   w = V (S^2 + p n s^2)^-1 S U^T y           (1)
///
/// where s^2 is the mean of S^2 / n over directions, so that the penalty p has no unit. The
/// decomposition is that of the triangular factor of X: no squares of the condition number.
package struct RidgeDecoder {
  /// Numbers of a state.
  package let size: Int
  private let fit: Range<Int>
  private let mean: [Double]
  /// Column-major (size, size): the directions.
  private let directions: [Double]
  private let squares: [Double]
  /// Row-major (samples, size): all states along the directions.
  private let projected: [Double]

  /// Penalties to choose from.
  package static let penalties = [1e-14, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2]

  /// `states` is row-major (samples, size); read-outs are fitted on the samples `fit`.
  package init(states: [Double], size: Int, fit: Range<Int>) {
    precondition(size > 0 && states.count % size == 0, "\(states.count) numbers of \(size)")
    precondition(!fit.isEmpty, "no samples to fit")
    let samples = states.count / size
    self.size = size
    self.fit = fit
    var mean = [Double](repeating: 0, count: size)
    for sample in fit { for i in 0..<size { mean[i] += states[sample * size + i] } }
    for i in 0..<size { mean[i] /= Double(fit.count) }
    self.mean = mean
    var centred = states
    for sample in 0..<samples { for i in 0..<size { centred[sample * size + i] -= mean[i] } }
    (directions, squares) = Self.decompose(
      Array(centred[fit.lowerBound * size..<fit.upperBound * size]), size: size)
    var projected = [Double](repeating: 0, count: samples * size)
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(samples), Int32(size), Int32(size), 1, centred,
      Int32(size), directions, Int32(size), 0, &projected, Int32(size))
    self.projected = projected
  }

  /// The right singular vectors, row by row, and the squares of the singular values.
  private static func decompose(
    _ rows: [Double], size: Int
  ) -> (directions: [Double], squares: [Double]) {
    let samples = rows.count / size
    // Column-major samples x size.
    let height = max(samples, size)
    var a = [Double](repeating: 0, count: height * size)
    for sample in 0..<samples {
      for i in 0..<size { a[i * height + sample] = rows[sample * size + i] }
    }
    var (m, n) = (Int32(height), Int32(size))
    var tau = [Double](repeating: 0, count: size)
    var work = [Double](repeating: 0, count: max(64 * size, 256))
    var workCount = Int32(work.count)
    var info: Int32 = 0
    dgeqrf_(&m, &n, &a, &m, &tau, &work, &workCount, &info)
    precondition(info == 0, "dgeqrf: \(info)")
    var r = [Double](repeating: 0, count: size * size)
    for column in 0..<size {
      for row in 0...column { r[column * size + row] = a[column * height + row] }
    }
    var values = [Double](repeating: 0, count: size)
    var unused = [Double](repeating: 0, count: 1)
    var one: Int32 = 1
    var vectors = [Double](repeating: 0, count: size * size)
    dgesvd_(
      "N", "A", &n, &n, &r, &n, &values, &unused, &one, &vectors, &n, &work, &workCount, &info)
    precondition(info == 0, "dgesvd: \(info)")
    // V^T column-major: direction j is its row j.
    var directions = [Double](repeating: 0, count: size * size)
    for j in 0..<size { for i in 0..<size { directions[j * size + i] = vectors[i * size + j] } }
    return (directions, values.map { $0 * $0 })
  }

  /// What is read of `targets`, row-major (samples, count), on the samples `rows`.
  package func predictions(
    of targets: [Double], count: Int, penalty: Double, rows: Range<Int>
  ) -> [Double] {
    var means = [Double](repeating: 0, count: count)
    for sample in fit { for j in 0..<count { means[j] += targets[sample * count + j] } }
    for j in 0..<count { means[j] /= Double(fit.count) }
    var centred = [Double](repeating: 0, count: fit.count * count)
    for (k, sample) in fit.enumerated() {
      for j in 0..<count { centred[k * count + j] = targets[sample * count + j] - means[j] }
    }
    let ridge = penalty * squares.reduce(0, +) / Double(size)
    var weights = [Double](repeating: 0, count: size * count)
    var result = [Double](repeating: 0, count: rows.count * count)
    projected.withUnsafeBufferPointer { projected in
      guard let base = projected.baseAddress else { return }
      cblas_dgemm(
        CblasRowMajor, CblasTrans, CblasNoTrans, Int32(size), Int32(count), Int32(fit.count), 1,
        base + fit.lowerBound * size, Int32(size), centred, Int32(count), 0, &weights, Int32(count))
      for i in 0..<size {
        // A direction without any extent decodes nothing.
        let scale = squares[i] > 0 ? 1 / (squares[i] + ridge) : 0
        for j in 0..<count { weights[i * count + j] *= scale }
      }
      for k in 0..<rows.count { for j in 0..<count { result[k * count + j] = means[j] } }
      cblas_dgemm(
        CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows.count), Int32(count), Int32(size), 1,
        base + rows.lowerBound * size, Int32(size), weights, Int32(count), 1, &result, Int32(count))
    }
    return result
  }
}

/// The parts of a set of samples: to fit read-outs, to choose their penalty and to score them.
package struct DecoderSplit: Sendable {
  package let fit: Range<Int>
  package let choose: Range<Int>
  package let score: Range<Int>

  /// Half of `samples` to fit, a quarter to choose, a quarter to score.
  package init(heldOutOf samples: Int) {
    fit = 0..<samples / 2
    choose = samples / 2..<samples * 3 / 4
    score = samples * 3 / 4..<samples
  }

  /// All samples for everything, as some published figures are made.
  package init(inSample samples: Int) {
    fit = 0..<samples
    choose = fit
    score = fit
  }
}
