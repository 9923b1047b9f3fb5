/// WeiNet: the fast-weight RNN with a learned decay and a learned write rate for every element of
/// the memory.
///
///     u = W_x x + W_h h + b,   s = relu(u)                                        (1)
///     h' = relu(LN(u + sum_m A_m s))                                              (2)
///     A_m' = W_decay,m . A_m + W_write,m . h' h'^T                                (3)
///
/// The update (3) is that of Zhang and Zhou 2017, arXiv:1709.06493, as restated by others; the rest
/// of the cell is that of Ba et al. 2016, and the sum over several memories is a reconstruction. At
/// the start it equals `fw_rnn` with the same decay and rate. `write_then_read` writes s first.
package struct WeiNet: RecurrentCell {
  package struct Options: MemoryNets.Options {
    package var hiddenSize = 50
    package var order = FastWeightRNN.Order.readThenWrite
    package var memories = 1
    /// Where W_decay starts.
    package var decayStart = 0.9
    /// Where W_write starts.
    package var writeStart = 0.5
    package var identityScale = 0.05

    package init() {}

    package func validate() -> [OptionProblem] {
      OptionProblem.atLeastOne("hidden_size", hiddenSize)
        + OptionProblem.atLeastOne("memories", memories)
        + OptionProblem.outside("decay_start", decayStart, 0...1)
        + OptionProblem.outside("write_start", writeStart, 0...10)
        + OptionProblem.outside("identity_scale", identityScale, 0...2)
    }
  }

  let options: Options

  package init(options: Options) {
    self.options = options
  }

  package func step(_ x: Vector, in g: StepBuilder) -> Vector {
    let n = options.hiddenSize
    let h = g.vector("h", n)
    let memories = (0..<options.memories).map { g.matrix($0 == 0 ? "A" : "A_\($0 + 1)", n, n) }
    let u = g.fastWeightInput(x, h, identityScale: options.identityScale)
    let s = relu(u)  // (1)

    func write(_ value: Vector) -> [Matrix] {
      memories.enumerated().map { m, memory in
        g.group(.memory) {
          let suffix = m == 0 ? "" : "_\(m + 1)"
          let decay = g.matrixParameter("W_decay" + suffix, n, n, .constant(options.decayStart))
          let rate = g.matrixParameter("W_write" + suffix, n, n, .constant(options.writeStart))
          return g.next(memory, decay * memory + rate * outer(value, value))  // (3)
        }
      }
    }

    let read = options.order == .writeThenRead ? write(s) : memories
    let sum = read.reduce(u) { $0 + $1.read(s) }
    let next = relu(g.layerNorm(sum, "ln"))  // (2)
    if options.order == .readThenWrite { _ = write(next) }
    return g.next(h, next)
  }
}
