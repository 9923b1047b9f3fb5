import CKernels

/// How long each call of a plan takes, and how much it multiplies.
///
/// Small kernels take as long as it takes to read the clock: that is taken off, and whatever else is
/// to be known of a call is worked out afterwards.
final class ExecutorProfile {
  private let calls: [Plan.Call]
  private let steps: Int
  private var runs: [Runs]

  /// All that is added up of the runs of a call.
  private struct Runs {
    var count = 0
    var nanoseconds = 0
    var rows = 0
    /// Each row times its step.
    var rowSteps = 0
  }

  init(_ calls: [Plan.Call], steps: Int) {
    self.calls = calls
    self.steps = steps
    runs = Array(repeating: Runs(), count: calls.count)
  }

  func measure(call: Int, step: Int, _ context: ms_context, _ body: () -> Void) {
    let start = Timings.nanoseconds
    body()
    let end = Timings.nanoseconds
    let rows =
      switch calls[call].scope {
      case .tile, .flat: Int(context.lanes)
      case .tiles: Int(context.sequences)
      case .batch: Int(context.sequences) * steps
      }
    runs[call].count += 1
    runs[call].nanoseconds += end - start
    runs[call].rows += rows
    runs[call].rowSteps += rows * step
  }

  /// Seconds by group.
  var seconds: [KernelGroup: Double] {
    var sums: [KernelGroup: Double] = [:]
    for (call, total) in zip(calls, totals) {
      sums[.of(call.kernel), default: 0] += total.seconds
    }
    return sums
  }

  /// By call: seconds, and multiply-adds.
  var totals: [(seconds: Double, operations: Double)] {
    zip(calls, runs).map { call, runs in
      // Of every kernel they are a + b rows + c rows step.
      let fixed = call.multiplyAdds(step: 0, steps: steps, rows: 0)
      let first = call.multiplyAdds(step: 0, steps: steps, rows: 1)
      let second = call.multiplyAdds(step: 1, steps: steps, rows: 1)
      let operations =
        fixed * Double(runs.count) + (first - fixed) * Double(runs.rows)
        + (second - first) * Double(runs.rowSteps)
      let seconds = max(0, Double(runs.nanoseconds) - Double(runs.count) * Self.clock) * 1e-9
      return (seconds, operations)
    }
  }

  var multiplyAdds: Double { totals.reduce(0) { $0 + $1.operations } }

  /// Nanoseconds between two readings of the clock with nothing between them.
  private static let clock: Double = {
    let readings = (0..<10_001).map { _ in Timings.nanoseconds }
    let gaps = zip(readings.dropFirst(), readings).map { $0 - $1 }.sorted()
    return Double(gaps[gaps.count / 2])
  }()
}

extension Plan.Call {
  /// Multiply-adds for `rows` rows: those of products, of their gradients and of memories; the rest
  /// is not counted.
  func multiplyAdds(step: Int, steps: Int, rows: Double) -> Double {
    let (m, k) = (Double(sizes.first ?? 0), Double(sizes.count > 1 ? sizes[1] : 0))
    let all = Double(steps)
    switch kernel {
    case \.linear, \.linear_packed, \.linear_narrow, \.flat_product, \.flat_gradient,
      \.softmax_readout:
      return m * k * rows
    case \.softmax_readout_backward: return 2 * m * k * rows
    case \.matrix_product: return m * k * Double(sizes[2])
    case \.linear_gradient: return m * k * rows * (sizes[2] == 0 ? 1 : all)
    case \.matrix_read, \.matrix_read_transposed, \.matrix_write: return m * k * rows
    case \.matrix_update: return operands[5].space == .none ? 0 : m * k * rows
    case \.matrix_write_backward: return 2 * m * k * rows
    case \.matrix_carry_backward:
      // A read of its own, and what another has left to it.
      return ((operands[8].space == .none ? 0 : 2) + (operands.count > 11 ? 1 : 0)) * m * k * rows
    case \.tensor_read, \.tensor_read_backward:
      return (m + k + Double(sizes[2])) * Double(step + 1 - sizes[3]) * rows
    case \.selective_scan: return 2 * m * k * rows
    case \.selective_scan_backward: return 5 * m * k * rows
    case \.history_read, \.history_read_backward:
      return (m + k) * Double(step + 1 - sizes[2]) * rows
    case \.history_gather: return m * Double(steps - step - sizes[1]) * rows
    default: return 0
    }
  }
}
