/// Gated DeltaNet: the delta rule with a decay of the memory that the input decides.
///
///     q, k = silu(conv(W_q x)), silu(conv(W_k x)) of length 1,   v = silu(conv(W_v x))
///     beta = sigmoid(W_beta x),   alpha = exp(-exp(A_log) softplus(W_a x + dt_bias))     (1)
///     S' = alpha S + beta (v - alpha S k) k^T,   o = S' q                         (2)
///     y = W_o (RMSNorm(o) silu(W_g x))                                            (3)
///
/// for each head; the memory decays before it predicts. Yang, Kautz and Hatamizadeh 2024,
/// arXiv:2412.06464. exp(A_log) starts uniform up to 16, softplus(dt_bias) log-uniform on
/// [0.001, 0.1]. There is no 1 / sqrt(key size) before (3), which RMSNorm would undo. The source
/// exempts A_log and dt_bias from weight decay.
package struct GatedDeltaNet: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 64
    package var heads = 4
    /// Of a head; 0 takes hidden_size / heads, rounded up.
    package var keySize = 0
    /// Of a head; 0 takes 2 key_size.
    package var valueSize = 0
    /// Steps that the convolution sees; 1 leaves it out.
    package var convolution = 4
    /// Whether beta is up to 2, so that writing can turn a sign.
    package var negativeEigenvalues = false
    /// Whether the output is gated.
    package var outputGate = true

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("heads", heads)
        + OptionProblem.atLeastOne("convolution", convolution)
        + OptionProblem.notNegative("key_size", keySize, "hidden_size / heads")
        + OptionProblem.notNegative("value_size", valueSize, "2 key_size")
    }

    var sizes: (key: Int, value: Int) {
      let key = keySize > 0 ? keySize : (hiddenSize + heads - 1) / max(heads, 1)
      return (key, valueSize > 0 ? valueSize : 2 * key)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let (heads, sizes) = (options.heads, options.sizes)
    func projected(_ name: String, _ size: Int) -> [Vector] {
      silu(g.convolvedLinear(name, x, heads * size, width: options.convolution)).split(heads)
    }
    let q = projected("q", sizes.key).map { $0.normalized() }
    let k = projected("k", sizes.key).map { $0.normalized() }
    let v = projected("v", sizes.value)
    let (beta, alpha) = g.group(.memory) {
      let strength = sigmoid(g.linear("W_beta", x, heads))
      let (rate, bias) = g.withoutWeightDecay {
        (
          exp(g.bias("A_log", heads, .logarithmOfUniform(16))),
          g.bias("dt_bias", heads, .softplusInverse(0.001, 0.1))
        )
      }
      let decay = exp(-(rate * softplus(g.linear("W_a", x, heads) + bias)))
      return ((options.negativeEigenvalues ? 2 * strength : strength).split(heads), decay)
    }  // (1)
    let reads = (0..<heads).map { head in
      g.rmsNorm(
        g.deltaRule(
          g.headName("S", head, of: heads), q: q[head], k: k[head], v: v[head],
          beta: beta[head], decay: alpha[head..<head + 1]), "norm")
    }  // (2)
    let o = concatenate(reads)
    let gated = options.outputGate ? o * silu(g.linear("W_g", x, o.size)) : o
    return g.linear("W_o", gated, options.hiddenSize)  // (3)
  }
}
