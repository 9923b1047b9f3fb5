import CKernels

/// How long each call of a plan takes, and how much it multiplies.
final class ExecutorProfile {
  private let calls: [Plan.Call]
  private var nanoseconds: [Int]
  private var counted: [Double]
  private let steps: Int

  init(_ calls: [Plan.Call], steps: Int) {
    self.calls = calls
    self.steps = steps
    nanoseconds = Array(repeating: 0, count: calls.count)
    counted = Array(repeating: 0, count: calls.count)
  }

  func measure(call: Int, step: Int, _ context: ms_context, _ body: () -> Void) {
    let start = Timings.nanoseconds
    body()
    nanoseconds[call] += Timings.nanoseconds - start
    let rows =
      switch calls[call].scope {
      case .tile, .flat: Int(context.lanes)
      case .tiles: Int(context.sequences)
      case .batch: Int(context.sequences) * steps
      }
    counted[call] += calls[call].multiplyAdds(step: step, steps: steps, rows: Double(rows))
  }

  /// Seconds by group.
  var seconds: [KernelGroup: Double] {
    var sums: [KernelGroup: Double] = [:]
    for (call, time) in zip(calls, nanoseconds) {
      sums[.of(call.kernel), default: 0] += Double(time) * 1e-9
    }
    return sums
  }

  /// By call: seconds, and multiply-adds.
  var totals: [(seconds: Double, operations: Double)] {
    zip(nanoseconds, counted).map { (Double($0) * 1e-9, $1) }
  }

  var multiplyAdds: Double { counted.reduce(0, +) }
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
