import COpenBLAS
import Foundation

/// How a parameter is drawn at the start of a trial.
package enum Initializer: Hashable, Sendable {
  case constant(Double)
  /// Uniform on [-bound, bound].
  case uniform(Double)
  case normal(Double)
  /// Normal with variance 2 / (rows + columns) times the square of the gain.
  case xavierNormal(Double)
  /// Uniform with variance 2 / (rows + columns) times the square of the gain.
  case xavierUniform(Double)
  /// The identity times a scale; zero beside a square.
  case identity(Double)
  /// A random matrix with orthonormal rows or columns, whichever are fewer, uniformly drawn.
  case orthogonal
  /// Of `count` blocks of rows, block `index` is `value`, the others 0: a forget gate's bias.
  case block(index: Int, count: Int, value: Double)
  /// From the first number to the last in equal steps.
  case ramp(Double, Double)
  /// Of `count` blocks of rows, block i is log(i + 1).
  case logarithmOfBlock(count: Int)
  /// The logarithm of a number that is uniform up to the given one.
  case logarithmOfUniform(Double)
  /// What softplus makes a number whose logarithm is uniform between those of the given two: the
  /// bias of a time step or a rate of decay.
  case softplusInverse(Double, Double)
  /// Angles of rotations in the planes (1, 2), (3, 4), ..., for a `rotation`; 0 in all others.
  case planeAngles(PlaneAngles)

  /// Whether it is a distribution around 0 of which nothing but the scale matters, or an orthogonal
  /// start.
  var isDrawn: Bool {
    switch self {
    case .uniform, .normal, .xavierNormal, .xavierUniform, .orthogonal: true
    default: false
    }
  }

  /// The numbers of a parameter of `shape`, row-major, drawn under `key`.
  package func values(shape: [Int], key: PhiloxKey) -> [Double] {
    let count = shape.reduce(1, *)
    let rows = shape[0]
    let columns = count / max(rows, 1)
    var random = PhiloxStream(key: key, stream: 0)
    switch self {
    case .constant(let value):
      return [Double](repeating: value, count: count)
    case .uniform(let bound):
      return (0..<count).map { _ in (2 * random.uniform() - 1) * bound }
    case .normal(let deviation):
      return (0..<count).map { _ in random.normal() * deviation }
    case .xavierNormal(let gain):
      let deviation = gain * (2 / Double(rows + columns)).squareRoot()
      return (0..<count).map { _ in random.normal() * deviation }
    case .xavierUniform(let gain):
      let bound = gain * (6 / Double(rows + columns)).squareRoot()
      return (0..<count).map { _ in (2 * random.uniform() - 1) * bound }
    case .identity(let scale):
      return (0..<count).map { $0 / columns == $0 % columns ? scale : 0 }
    case .orthogonal:
      return orthogonalMatrix(rows: rows, columns: columns, random: &random)
    case .planeAngles(let kind):
      return upperTriangle(kind, count: count, random: &random)
    case .block(let index, let blocks, let value):
      let part = count / blocks
      return (0..<count).map { $0 / part == index ? value : 0 }
    case .ramp(let first, let last):
      return (0..<count).map { first + (last - first) * Double($0) / Double(max(count - 1, 1)) }
    case .logarithmOfBlock(let blocks):
      return (0..<count).map { log(Double($0 / (count / blocks) + 1)) }
    case .logarithmOfUniform(let limit):
      return (0..<count).map { _ in log(limit * max(random.uniform(), 1e-6)) }
    case .softplusInverse(let least, let most):
      return (0..<count).map { _ in
        let number = exp(log(least) + random.uniform() * (log(most) - log(least)))
        return number + log(-expm1(-number))
      }
    }
  }
}

/// How the angles of a block-diagonal skew matrix are drawn.
package enum PlaneAngles: Hashable, Sendable {
  /// Uniform on [-pi, pi].
  case uniform
  /// -sqrt((1 - cos s) / (1 + cos s)), s uniform on [0, pi / 2].
  case cayley
}

/// The upper triangle of a skew matrix, row-major, of `count` elements.
private func upperTriangle(
  _ kind: PlaneAngles, count: Int, random: inout PhiloxStream
) -> [Double] {
  let size = Int((1 + Double(1 + 8 * count).squareRoot()) / 2)
  var values = [Double](repeating: 0, count: count)
  for row in stride(from: 0, to: size - 1, by: 2) {
    let draw = random.uniform()
    let angle =
      switch kind {
      case .uniform: (2 * draw - 1) * Double.pi
      case .cayley: -tan(draw * Double.pi / 4)
      }
    values[row * size - row * (row + 1) / 2] = angle
  }
  return values
}

/// The orthogonal factor of a matrix of normal draws, with the signs that make it uniform.
///
/// Mezzadri, "How to generate random matrices from the classical compact groups", 2007, section 5.
private func orthogonalMatrix(rows: Int, columns: Int, random: inout PhiloxStream) -> [Double] {
  let tall = max(rows, columns)
  let thin = min(rows, columns)
  // Column-major tall x thin, as LAPACK wants it: read row-major it is the thin x tall transpose.
  var a = (0..<tall * thin).map { _ in random.normal() }
  var m = Int32(tall)
  var n = Int32(thin)
  var leading = m
  var tau = [Double](repeating: 0, count: thin)
  var work = [Double](repeating: 0, count: 64 * thin)
  var workCount = Int32(work.count)
  var info: Int32 = 0
  dgeqrf_(&m, &n, &a, &leading, &tau, &work, &workCount, &info)
  precondition(info == 0, "dgeqrf: \(info)")
  let signs = (0..<thin).map { a[$0 * tall + $0] < 0 ? -1.0 : 1.0 }
  var reflectors = n
  dorgqr_(&m, &n, &reflectors, &a, &leading, &tau, &work, &workCount, &info)
  precondition(info == 0, "dorgqr: \(info)")
  return (0..<rows * columns).map { i in
    let (row, column) = (i / columns, i % columns)
    return rows >= columns
      ? a[column * tall + row] * signs[column] : a[row * tall + column] * signs[row]
  }
}
