/// DeltaNet: a memory of several heads, written by the delta rule or, as linear attention, by plain
/// sums.
///
///     q, k = norm(phi(conv(W_q x))), norm(phi(conv(W_k x))),   v = silu(conv(W_v x))     (1)
///     beta = sigmoid(W_beta x)
///     S' = S + beta (v - S k) k^T,   o = S' q                               (2, delta)
///     S' = S + v phi(k)^T,   z' = z + phi(k),   o = S' phi(q) / (z' phi(q) + 1e-6)
///                                                                           (2, sum)
///     y = W_o RMSNorm(o)                                                    (3)
///
/// The delta rule is that of Schlag, Irie and Schmidhuber 2021, arXiv:2102.11174; the defaults are
/// the form of today (Yang, Wang, Zhang, Shen and Kim 2024, arXiv:2406.06484): keys and queries of
/// length 1 after SiLU and a convolution over 4 steps. Their first form is `feature_map:
/// elu_plus_one`, `dpfp` or `favor`, `key_norm: sum`, `convolution: 1`, `output_norm: none`; linear attention
/// is `rule: sum` with it. Values pass SiLU where keys do. There is no 1 / sqrt(key size) before
/// (3), which RMSNorm would undo.
package struct DeltaNet: RecurrentCell {
  package enum Rule: String, Codable, CaseIterable, Sendable { case delta, sum }

  /// What keys and queries are divided by under the delta rule.
  package enum KeyNorm: String, Codable, CaseIterable, Sendable {
    case length, sum

    func normalized(_ a: Vector) -> Vector {
      switch self {
      case .length: a.normalized()
      case .sum: a / (MemoryNets.sum(a) + 1e-6)
      }
    }
  }

  package enum OutputNorm: String, Codable, CaseIterable, Sendable { case rms, none }

  package struct Options: MemoryNets.Options {
    package var hiddenSize = 64
    package var heads = 4
    /// Of a head; 0 takes hidden_size / heads, rounded up.
    package var keySize = 0
    /// Of a head; 0 takes key_size.
    package var valueSize = 0
    package var rule = Rule.delta
    package var featureMap = FeatureMap.silu
    /// Of the feature map dpfp.
    package var dpfpOrder = 1
    /// Random directions of the feature map favor, which has two features for each.
    package var favorDirections = 64
    package var keyNorm = KeyNorm.length
    /// Steps that the convolution sees; 1 leaves it out.
    package var convolution = 4
    /// Whether beta is up to 2, so that writing can turn a sign.
    package var negativeEigenvalues = false
    package var outputNorm = OutputNorm.rms

    package init() {}

    package func validate() -> [OptionProblem] {
      var problems =
        OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("heads", heads)
        + OptionProblem.atLeastOne("convolution", convolution)
        + OptionProblem.atLeastOne("favor_directions", favorDirections)
        + OptionProblem.notNegative("key_size", keySize, "hidden_size / heads")
        + OptionProblem.notNegative("value_size", valueSize, "key_size")
      let key = sizes.key
      if featureMap == .dpfp && !(1..<max(2 * key, 2)).contains(dpfpOrder) {
        problems.append(
          OptionProblem(
            "dpfp_order", "is \(dpfpOrder); 1 to \(2 * key - 1) is possible with keys of \(key)"))
      }
      if !featureMap.isPositive && (rule == .sum || keyNorm == .sum) {
        let setting = rule == .sum ? "rule" : "key_norm"
        problems.append(
          OptionProblem(
            setting,
            "is sum, which divides by a sum of features; feature_map: elu_plus_one, dpfp or favor is needed"
          ))
      }
      return problems
    }

    var sizes: (key: Int, value: Int) {
      let key = keySize > 0 ? keySize : (hiddenSize + heads - 1) / max(heads, 1)
      return (key, valueSize > 0 ? valueSize : key)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let (heads, sizes) = (options.heads, options.sizes)
    func projected(_ name: String, _ size: Int) -> Vector {
      g.convolvedLinear(name, x, heads * size, width: options.convolution)
    }
    func features(_ a: Vector) -> Vector {
      options.featureMap.features(
        of: a, order: options.dpfpOrder, directions: options.favorDirections)
    }
    let q = projected("q", sizes.key).split(heads).map(features)
    let k = projected("k", sizes.key).split(heads).map(features)
    let raw = projected("v", sizes.value)
    let v = (options.featureMap == .silu ? silu(raw) : raw).split(heads)  // (1)

    var reads: [Vector] = []
    switch options.rule {
    case .delta:
      let strength = sigmoid(g.group(.memory) { g.linear("W_beta", x, heads) })
      let beta = (options.negativeEigenvalues ? 2 * strength : strength).split(heads)
      for head in 0..<heads {
        let norm = options.keyNorm.normalized
        reads.append(
          g.deltaRule(
            g.headName("S", head, of: heads), q: norm(q[head]), k: norm(k[head]), v: v[head],
            beta: beta[head]))
      }
    case .sum:
      for head in 0..<heads {
        reads.append(
          g.linearAttention(
            g.headName("S", head, of: heads), g.headName("z", head, of: heads), q: q[head],
            k: k[head], v: v[head]))
      }
    }
    if options.outputNorm == .rms { reads = reads.map { g.rmsNorm($0, "norm") } }
    return g.linear("W_o", concatenate(reads), options.hiddenSize)  // (3)
  }
}

extension StepBuilder {
  /// W x, convolved over the last `width` steps: weights `W_name` and `conv_name`.
  func convolvedLinear(_ name: String, _ x: Vector, _ size: Int, width: Int) -> Vector {
    let u = linear("W_" + name, x, size)
    return width > 1 ? shortConvolution("conv_" + name, u, width: width) : u
  }

  /// The name of what one of several heads carries; that of a lone head has no number.
  func headName(_ name: String, _ head: Int, of heads: Int) -> String {
    heads == 1 ? name : "\(name)_\(head + 1)"
  }

  /// One head of the delta rule, which forgets before it predicts where it has a decay.
  ///
  ///     S' = decay S + beta (v - decay S k) k^T,   o = S' q
  package func deltaRule(
    _ name: String, q: Vector, k: Vector, v: Vector, beta: Vector, decay: Vector? = nil
  ) -> Vector {
    let S = matrix(name, v.size, k.size)
    let read = S.read(k)
    guard let decay else { return next(S, S + outer(beta * (v - read), k)).read(q) }
    return next(S, decay * S + outer(beta * (v - decay * read), k)).read(q)
  }

  /// One head of linear attention, for features that are not negative.
  ///
  ///     S' = S + v k^T,   z' = z + k,   o = S' q / (z' q + 1e-6)
  package func linearAttention(
    _ name: String, _ sumName: String, q: Vector, k: Vector, v: Vector
  ) -> Vector {
    let S = matrix(name, v.size, k.size)
    let z = vector(sumName, k.size)
    return next(S, S + outer(v, k)).read(q) / (dot(next(z, z + k), q) + 1e-6)
  }
}
