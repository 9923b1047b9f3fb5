import Foundation

/// What keys and queries become before they meet a memory.
package enum FeatureMap: String, Codable, CaseIterable, Sendable {
  case identity
  case silu
  /// ELU(a) + 1, positive.
  case eluPlusOne = "elu_plus_one"
  /// Deterministic parameter-free projection: with r = [relu(a); relu(-a)], the products of r with
  /// itself rolled by 1 ... order, which is 2 order times as long.
  ///
  /// Schlag, Irie and Schmidhuber 2021, arXiv:2102.11174.
  case dpfp
  /// exp(Omega a - |a|^2 / 2) and exp(-Omega a - |a|^2 / 2), each divided by sqrt(2 m) for m random
  /// directions Omega: features whose inner products estimate exp(a b).
  ///
  /// FAVOR+ of Choromanski et al. 2021, arXiv:2009.14794, with both signs as in the program of Schlag,
  /// Irie and Schmidhuber 2021, which draws Omega for every batch anew; here it stays.
  case favor

  /// Whether features are never negative.
  var isPositive: Bool { self == .eluPlusOne || self == .dpfp || self == .favor }

  /// The features of `a`; `order` is that of `dpfp`, `directions` are those of `favor`.
  func features(of a: Vector, order: Int, directions: Int) -> Vector {
    switch self {
    case .identity: return a
    case .silu: return MemoryNets.silu(a)
    case .eluPlusOne: return MemoryNets.eluPlusOne(a)
    case .dpfp:
      let r = concatenate([relu(a), relu(-a)])
      let n = r.size
      return concatenate(
        (1...order).map { shift in r * concatenate([r[n - shift..<n], r[0..<n - shift]]) })
    case .favor:
      let omega = a.builder.fixed(
        "Omega", directions, a.size, Self.favorProjection(features: directions, size: a.size))
      let u = a.builder.linear(omega, a)
      let offset = 0.5 * dot(a, a) + 0.5 * Foundation.log(2 * Double(directions))
      let lengths = offset.broadcast(to: directions)
      return concatenate([exp(u - lengths), exp(-u - lengths)])
    }
  }

  /// Omega (features, size), row-major: random directions, orthogonal in groups of `size`, each as long as
  /// a vector of standard normal numbers; the same in every trial.
  package static func favorProjection(features: Int, size: Int) -> [Double] {
    let key = PhiloxKey(0).derived("favor")
    var lengths = PhiloxStream(key: key.derived("lengths"), stream: 0)
    var rows: [Double] = []
    while rows.count < features * size {
      let group = Initializer.orthogonal.values(
        shape: [size, size], key: key.derived("group \(rows.count / size / size)"))
      for row in 0..<size {
        let length = (0..<size).reduce(0.0) { sum, _ in
          let x = lengths.normal()
          return sum + x * x
        }.squareRoot()
        rows += group[row * size..<(row + 1) * size].map { $0 * length }
      }
    }
    return Array(rows.prefix(features * size))
  }
}
