import CKernels

/// Times the kernel calls of a plan by themselves: those of a cell's update, summed by kernel and
/// size.
package enum KernelBenchmark {
  /// One kernel at one size.
  package struct Line: Sendable {
    package let group: KernelGroup
    package let kernel: String
    package let sizes: [Int]
    /// Median, least and most of the seconds that an update spends in it.
    package let seconds: (median: Double, minimum: Double, maximum: Double)
    /// Of an update; 0 where they are not counted.
    package let operations: Double
  }

  /// Every kernel that an update of `benchmark` runs, the slowest first.
  package static func lines(_ benchmark: TrainingBenchmark, repetitions: Int) throws -> [Line] {
    let executor = benchmark.network.executor
    var samples: [[(seconds: Double, operations: Double)]] = []
    for _ in 0..<repetitions + 3 {
      let profile = ExecutorProfile(executor.calls, steps: benchmark.batch.steps)
      executor.profile = profile
      try benchmark.step()
      executor.profile = nil
      samples.append(profile.totals)
    }
    samples.removeFirst(3)

    var groups: [String: [Int]] = [:]
    for (i, call) in executor.calls.enumerated() {
      groups["\(call.name) \(call.sizes)", default: []].append(i)
    }
    return groups.values.map { calls in
      let seconds = samples.map { s in calls.reduce(0) { $0 + s[$1].seconds } }.sorted()
      let first = executor.calls[calls[0]]
      return Line(
        group: .of(first.kernel), kernel: first.name, sizes: first.sizes,
        seconds: (seconds[seconds.count / 2], seconds[0], seconds[seconds.count - 1]),
        operations: 2 * calls.reduce(0) { $0 + samples[0][$1].operations })
    }.sorted { $0.seconds.median > $1.seconds.median }
  }
}

extension Plan.Call {
  /// The name of the kernel as `CKernels` has it.
  var name: String {
    let text = String(describing: kernel)
    return text.split(separator: ".").last.map(String.init) ?? text
  }
}
