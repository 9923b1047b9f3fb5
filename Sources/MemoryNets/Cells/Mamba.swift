/// Mamba: a diagonal linear recurrence whose time step, input and output maps the input selects.
///
///     [u; z] = W_in x,   a = silu(conv(u) + conv_b)                               (1)
///     [r; B; C] = W_x a,   Delta = softplus(W_dt r + dt_bias)                     (2)
///     h_j' = exp(-Delta exp(A_log_j)) h_j + B_j Delta a,   j = 1 ... N            (3)
///     y = W_out ((sum over j of C_j h_j' + D a) silu(z))                          (4)
///
/// Gu and Dao 2023, arXiv:2312.00752. h is the vectors h_j one after the other, and so is A_log,
/// which starts as log j; D starts at 1, softplus(dt_bias) log-uniform on [0.001, 0.1]. The source
/// exempts A_log and D from weight decay.
package struct Mamba: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 64
    /// Channels for one of hidden_size.
    package var expansion = 2
    /// N, numbers that each channel carries.
    package var stateSize = 16
    /// Steps that the convolution sees; 1 leaves it out.
    package var convolution = 4
    /// Of the map to the time steps; 0 takes hidden_size / 16, rounded up.
    package var timeStepRank = 0

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("expansion", expansion)
        + OptionProblem.atLeastOne("state_size", stateSize)
        + OptionProblem.atLeastOne("convolution", convolution)
        + OptionProblem.notNegative("time_step_rank", timeStepRank, "hidden_size / 16")
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let (n, states) = (options.expansion * options.hiddenSize, options.stateSize)
    let rank = options.timeStepRank > 0 ? options.timeStepRank : (options.hiddenSize + 15) / 16
    let maps = g.linear("W_in", x, 2 * n).split(2)
    let (u, z) = (maps[0], maps[1])
    let convolved =
      options.convolution > 1
      ? g.shortConvolution("conv", u, width: options.convolution) + g.bias("conv_b", n) : u
    let a = silu(convolved)  // (1)
    let selected = g.linear("W_x", a, rank + 2 * states)
    let B = selected[rank..<rank + states]
    let C = selected[rank + states..<rank + 2 * states]
    let read = g.group(.memory) {
      let bias = g.bias("dt_bias", n, .softplusInverse(0.001, 0.1))
      let step = softplus(g.linear("W_dt", selected[0..<rank], n) + bias)  // (2)
      return g.selectiveScan(
        "h", timeStep: step, written: step * a, writing: B, reading: C, rates: "A_log",
        .logarithmOfBlock(count: states))  // (3)
    }
    let y = read + g.withoutWeightDecay { g.gain("D", a) }
    return g.linear("W_out", y * silu(z), options.hiddenSize)  // (4)
  }
}
