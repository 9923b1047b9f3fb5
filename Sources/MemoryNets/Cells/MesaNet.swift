import Foundation

/// MesaNet: at every step, the least-squares map from the keys so far to their values, applied to the
/// query. For every head, with gamma and beta numbers of the sequence:
///
///     q, k = norm(silu(conv(W x))),   v = W_v x                                      (1)
///     beta = sigmoid(W_b x + b_b),   gamma = sigmoid(W_a x + b_a)                    (2)
///     H' = gamma H + beta k k^T,   K' = gamma K + beta k v^T                         (3)
///     o = K'^T (H' + diag l)^-1 q,   l = softplus(lambda) + lower bound              (4)
///     y = W_o [RMSNorm(o) of every head]                                             (5)
///
/// von Oswald et al., "MesaNet: sequence modeling by locally optimal test-time training", 2025,
/// arXiv:2506.05233, in the form of the flash-linear-attention library; norm is of Euclidean length 1
/// and conv a causal convolution of every feature. (4) is solved exactly, by factors, where the
/// library makes 30 steps of conjugate gradients. It starts with l = 1.
package struct MesaNet: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 64
    package var heads = 4
    /// Features of q, k and v of a head.
    package var headSize = 16
    /// Steps that the convolution of q and k sees; 1 leaves it out.
    package var convolution = 4
    /// What l stays above.
    package var lowerBound = 0.25

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("heads", heads) + OptionProblem.atLeastOne("head_size", headSize)
        + OptionProblem.atLeastOne("convolution", convolution)
        + (lowerBound > 0 && lowerBound < 1
          ? []
          : [OptionProblem("lower_bound", "is \(lowerBound); between 0 and 1 is possible")])
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let (heads, d) = (options.heads, options.headSize)
    let n = heads * d
    let q = convolved("q", x, in: g).split(heads)
    let k = convolved("k", x, in: g).split(heads)
    let v = g.linear("W_v", x, n).split(heads)  // (1)
    let beta = gates("b", x, in: g)
    let gamma = gates("a", x, in: g)  // (2)
    let start = log(exp(1 - options.lowerBound) - 1)
    let lambda =
      softplus(g.withoutWeightDecay { g.bias("lambda", n, .constant(start)) })
      + options.lowerBound
    let l = lambda.split(heads)
    let outputs = (0..<heads).map { h in
      let key = k[h].normalized()
      let o = g.group(.memory) {
        read(
          q[h].normalized(), key: key, written: beta[h] * key, value: v[h], kept: gamma[h],
          diagonal: l[h], head: h, in: g)
      }
      return g.rmsNorm(o, "norm")
    }
    return g.linear("W_o", concatenate(outputs), options.hiddenSize)  // (5)
  }

  /// (3) and (4) of one head.
  private func read(
    _ q: Vector, key: Vector, written: Vector, value: Vector, kept: Vector, diagonal: Vector,
    head: Int, in g: StepBuilder
  ) -> Vector {
    let d = options.headSize
    let H = g.matrix("H_\(head)", d, d)
    let K = g.matrix("K_\(head)", d, d)
    let nextH = g.next(H, kept * H + outer(written, key))
    let nextK = g.next(K, kept * K + outer(written, value))
    return nextK.readTransposed(nextH.solve(q, diagonal: diagonal))
  }

  private func convolved(_ name: String, _ x: Vector, in g: StepBuilder) -> Vector {
    let u = g.linear("W_" + name, x, options.heads * options.headSize)
    return options.convolution == 1
      ? silu(u) : silu(g.shortConvolution("conv_" + name, u, width: options.convolution))
  }

  private func gates(_ name: String, _ x: Vector, in g: StepBuilder) -> [Vector] {
    let bound = Initializer.uniform(1 / Double(x.size).squareRoot())
    let heads = options.heads
    return sigmoid(g.linear("W_" + name, x, heads) + g.bias("b_" + name, heads, bound))
      .split(heads)
  }
}
