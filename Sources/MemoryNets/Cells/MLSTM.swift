/// mLSTM: a matrix memory with exponential gates, kept in range by their running maximum.
///
///     [u; z] = W_up x,   a = silu(conv(u) + conv_b),   q = W_q a,   k = W_k a,   v = W_v u    (1)
///     i = W_i [q; k; v] + b_i,   f = W_f [q; k; v] + b_f                          (2)
///     m' = max(log sigmoid(f) + m, i)                                             (3)
///     F = exp(log sigmoid(f) + m - m'),   I = exp(i - m')
///     C' = F C + I v k^T / sqrt(d),   n' = F n + I k / sqrt(d)                    (4)
///     o = C' q / (max(|n' q|, exp(-m')) + 1e-6)                                   (5)
///     y = W_down ((LN(o) + skip a) silu(z))                                       (6)
///
/// (3) to (5) and LN, which has a gain and no bias, for each head of d features. Beck et al. 2024,
/// "xLSTM: Extended Long Short-Term Memory", arXiv:2405.04517. W_i and W_f start at 0, b_f evenly
/// from 3 to 6 over the heads, b_i normal with deviation 0.1, W_up, W_q, W_k, W_v normal with
/// variance 2 / (5 hidden size), W_down as that of a net of one block. The source has W_q, W_k and
/// W_v in blocks of 4 features; here they are whole.
package struct MLSTM: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 64
    package var heads = 4
    /// Features of all heads for one of hidden_size, rounded up to whole heads.
    package var expansion = 2
    /// Steps that the convolution sees; 1 leaves it out.
    package var convolution = 4

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("heads", heads)
        + OptionProblem.atLeastOne("expansion", expansion)
        + OptionProblem.atLeastOne("convolution", convolution)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let heads = options.heads
    let d = (options.expansion * options.hiddenSize + heads - 1) / heads
    let inner = heads * d
    let small = Initializer.normal((2 / (5 * Double(options.hiddenSize))).squareRoot())
    let up = g.linear("W_up", x, 2 * inner, small).split(2)
    let (u, z) = (up[0], up[1])
    let convolved =
      options.convolution > 1
      ? g.shortConvolution("conv", u, width: options.convolution) + g.bias("conv_b", inner) : u
    let a = silu(convolved)
    let q = g.linear("W_q", a, inner, small)
    let k = g.linear("W_k", a, inner, small)
    let v = g.linear("W_v", u, inner, small)  // (1)
    let (i, f) = g.group(.memory) {
      let all = concatenate([q, k, v])
      return (
        g.linear("W_i", all, heads, .constant(0)) + g.bias("b_i", heads, .normal(0.1)),
        g.linear("W_f", all, heads, .constant(0)) + g.bias("b_f", heads, .ramp(3, 6))
      )
    }  // (2)
    let gates = g.exponentialGates(i: i, f: f)
    let (qs, ks, vs) = (q.split(heads), k.split(heads), v.split(heads))
    let reads = (0..<heads).map { head in
      g.exponentialMemory(
        g.headName("C", head, of: heads), g.headName("n", head, of: heads), q: qs[head],
        k: ks[head], v: vs[head], gates[head]
      ).standardized()
    }
    let normed = g.gain("ln_gain", concatenate(reads))
    let start = Initializer.normal(2 / Double(options.hiddenSize).squareRoot())
    return g.linear(
      "W_down", (normed + g.gain("skip", a)) * silu(z), options.hiddenSize, start)  // (6)
  }
}

/// Exponential gates of one head after they have been brought in range, each of size 1.
package struct ExponentialGates {
  let forget: Vector
  let input: Vector
  /// exp(-m), what 1 has become.
  let one: Vector
}

extension StepBuilder {
  /// (3) for each element of the gates' logarithm `i` and logit `f`.
  package func exponentialGates(i: Vector, f: Vector) -> [ExponentialGates] {
    let m = vector("m", i.size)
    let kept = m - softplus(-f)
    let next = next(m, maximum(kept, i))
    let parts = [exp(kept - next), exp(i - next), exp(-next)].map { $0.split(i.size) }
    return (0..<i.size).map {
      ExponentialGates(forget: parts[0][$0], input: parts[1][$0], one: parts[2][$0])
    }
  }

  /// (4) and (5): what one head reads from its memory `name`, divided by its normaliser `sumName`.
  package func exponentialMemory(
    _ name: String, _ sumName: String, q: Vector, k: Vector, v: Vector, _ gates: ExponentialGates
  ) -> Vector {
    let C = matrix(name, v.size, k.size)
    let n = vector(sumName, k.size)
    let key = gates.input * ((1 / Double(k.size).squareRoot()) * k)
    let sum = dot(next(n, gates.forget * n + key), q)
    let divisor = maximum(maximum(sum, -sum), gates.one) + 1e-6
    return next(C, gates.forget * C + outer(v, key)).read(q) / divisor
  }
}
