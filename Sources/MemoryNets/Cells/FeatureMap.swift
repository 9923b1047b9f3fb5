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

  /// Whether features are never negative.
  var isPositive: Bool { self == .eluPlusOne || self == .dpfp }

  /// The features of `a`; `order` is that of `dpfp`.
  func features(of a: Vector, order: Int) -> Vector {
    switch self {
    case .identity: return a
    case .silu: return MemoryNets.silu(a)
    case .eluPlusOne: return MemoryNets.eluPlusOne(a)
    case .dpfp:
      let r = concatenate([relu(a), relu(-a)])
      let n = r.size
      return concatenate(
        (1...order).map { shift in r * concatenate([r[n - shift..<n], r[0..<n - shift]]) })
    }
  }
}
