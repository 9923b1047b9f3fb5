/// How much of a random signal can be read linearly from a state, delay by delay.
///
///     MC_k = cov^2(u(t - k), y_k(t)) / (var u var y_k),   MC = sum over k >= 1 of MC_k        (1)
///
/// with y_k the best linear read-out for delay k. At most the numbers of the state, for independent
/// inputs and on samples that the read-outs were not fitted on. Jaeger, "Short term memory in echo
/// state networks", GMD report 152, 2001.
package struct LinearMemoryCapacity: Hashable, Codable, Sendable {
  /// MC_k of k = 0, 1, ...
  package let byDelay: [Double]

  /// The sum over delays from 1 on.
  package var total: Double { byDelay.dropFirst().reduce(0, +) }

  /// Of states, (samples, size), and the inputs before each, (samples, delays), the newest first.
  package init(states: [Double], size: Int, inputs: [Double], delays: Int, split: DecoderSplit) {
    let decoder = RidgeDecoder(states: states, size: size, fit: split.fit)
    let samples = states.count / size
    byDelay = (0..<delays).map { delay in
      let targets = (0..<samples).map { inputs[$0 * delays + delay] }
      return decoder.decode(targets, count: 1, lag: delay, split: split).correlation
    }
  }
}
