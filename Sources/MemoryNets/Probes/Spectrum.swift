import COpenBLAS

/// The eigenvalues of the matrices through which what is carried acts on the next step.
package struct Spectrum: Hashable, Codable, Sendable {
  /// The parameter, with the number of the block where it holds several: `layer0.W_h[2]`.
  package let name: String
  package let real: [Double]
  package let imaginary: [Double]

  /// |eigenvalue| in descending order.
  package var magnitudes: [Double] {
    zip(real, imaginary).map { ($0 * $0 + $1 * $1).squareRoot() }.sorted(by: >)
  }

  package var radius: Double { magnitudes.first ?? 0 }

  /// The eigenvalues of the row-major `matrix` of `size` rows; nil where they are not found.
  package init?(name: String, matrix: [Double], size: Int) {
    precondition(matrix.count == size * size && size > 0, "\(matrix.count) numbers")
    guard matrix.allSatisfy(\.isFinite) else { return nil }
    // Row-major read column by column is the transpose: the same eigenvalues.
    var a = matrix
    var n = Int32(size)
    var (real, imaginary) = (
      [Double](repeating: 0, count: size), [Double](repeating: 0, count: size)
    )
    var unused = [0.0]
    var alsoUnused = [0.0]
    var one: Int32 = 1
    var work = [Double](repeating: 0, count: max(64 * size, 8))
    var workCount = Int32(work.count)
    var info: Int32 = 0
    dgeev_(
      "N", "N", &n, &a, &n, &real, &imaginary, &unused, &one, &alsoUnused, &one, &work, &workCount,
      &info)
    guard info == 0 else { return nil }
    self.name = name
    self.real = real
    self.imaginary = imaginary
  }
}

extension StepGraph {
  /// The parameters that multiply the value a vector had after the step before, cut into square blocks:
  /// name, number of blocks and size.
  var recurrentMatrices: [(name: String, blocks: Int, size: Int)] {
    var found: [(name: String, blocks: Int, size: Int)] = []
    for node in nodes {
      for case .linear(let weight, let operand) in (node.operation as? Sum)?.terms ?? [] {
        guard nodes[operand].operation is PreviousValue else { continue }
        let parameter = parameters[weight]
        let size = nodes[operand].size
        guard parameter.shape[0] % size == 0, !found.contains(where: { $0.name == parameter.name })
        else { continue }
        found.append((parameter.name, parameter.shape[0] / size, size))
      }
    }
    return found
  }
}
