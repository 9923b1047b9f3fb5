import CKernels
import CXXHash

/// A model whose gradients are summed shard by shard, on one rank or on several that share each batch.
///
/// Every rank is given the whole batch and runs its own sequences. Weights, losses and everything
/// that follows from them have the same bits on any number of ranks: activations do not depend on
/// the sequences beside them, and sums over sequences follow `Sharding`. A batch that does not divide
/// into the shards is run whole by every rank.
package final class ShardedNetwork: TrainableModel {
  package let network: Network
  private let sharding: Sharding
  private let batchSize: Int
  /// Partial sums of gradients that wait for their neighbours, by level of the tree.
  private let waiting: [UnsafeMutableRawPointer]
  private var ranges: [Range<Int>] = []

  /// Updates between two comparisons of the ranks' weights.
  package static let updatesBetweenChecks = 100

  /// `network` was made with a sharding; `batchSize` is the number of rows of a batch that is trained
  /// on.
  package init(_ network: Network, batchSize: Int) {
    guard let sharding = network.sharding else { preconditionFailure("a network without shards") }
    self.network = network
    self.sharding = sharding
    self.batchSize = batchSize
    let bytes = max(network.parameters.gradientCount, 1) * network.parameters.precision.size
    waiting = (0..<sharding.waitingSums).map { _ in .allocate(byteCount: bytes, alignment: 64) }
  }

  deinit { waiting.forEach { $0.deallocate() } }

  package var parameters: ParameterStore { network.parameters }
  package var kernels: Kernels { network.kernels }
  package var stateSize: Int { network.stateSize }
  package var parameterCount: Int { network.parameterCount }
  package var carriedState: UnsafeMutableRawBufferPointer { network.carriedState }
  package var firstUpdate: Int { network.firstUpdate }

  package func prepare(
    for update: Int, of task: any SequenceTask, batchSize: Int
  ) -> Bool { network.prepare(for: update, of: task, batchSize: batchSize) }

  package func resume(after updates: Int) { network.resume(after: updates) }

  package func train(
    _ batch: Batch, update: Int, noiseKey: PhiloxKey
  ) throws(TeamError) -> LossStatistics {
    if update % Self.updatesBetweenChecks == 0 { try compareWeights(before: update) }
    let runsTogether = runsTogether(batch)
    // What all ranks have when they have run.
    let summed = runsTogether ? network.jointGradients : []
    network.startTraining(batch, update: update, noiseKey: noiseKey, written: summed)
    guard isDivided(batch) else {
      defer { network.endGradient() }
      return whole(batch, state: network.trainingState, backward: true)
    }
    if runsTogether {
      try runTogether(batch, state: network.trainingState, backward: true)
    } else {
      sumTree(batch, 0..<sharding.localShards)
    }
    if let team = sharding.team {
      ranges.removeAll(keepingCapacity: true)
      parameters.forEachGradientRange { $0.forEachPiece(without: summed) { ranges.append($0) } }
      try team.sum(ranges, of: parameters.gradients, precision: parameters.precision)
    }
    network.endGradient()
    return try statistics(bound: batch.bound)
  }

  package func evaluate(_ batch: Batch) throws(TeamError) -> LossStatistics {
    network.startEvaluation()
    guard isDivided(batch) else {
      return whole(batch, state: network.evaluationState, backward: false)
    }
    if runsTogether(batch) {
      try runTogether(batch, state: network.evaluationState, backward: false)
    } else {
      for shard in 0..<sharding.localShards {
        runShard(shard, of: batch, state: network.evaluationState, backward: false)
      }
    }
    return try statistics(bound: batch.bound)
  }

  package func collectState() throws(TeamError) {
    guard let team = sharding.team, !carriedState.isEmpty else { return }
    let size = parameters.precision.size
    let count = carriedState.count / size / network.maximumRows
    let own = batchSize / team.size
    func number(_ i: Int) -> Double {
      switch parameters.precision {
      case .float: Double(carriedState.load(fromByteOffset: i * size, as: Float.self))
      case .double: carriedState.load(fromByteOffset: i * size, as: Double.self)
      }
    }
    let first = team.rank * own * count
    let all = try team.gather((first..<first + own * count).map(number))
    for (i, x) in all.joined().enumerated() {
      switch parameters.precision {
      case .float: carriedState.storeBytes(of: Float(x), toByteOffset: i * size, as: Float.self)
      case .double: carriedState.storeBytes(of: x, toByteOffset: i * size, as: Double.self)
      }
    }
  }

  // MARK: - Running

  private func isDivided(_ batch: Batch) -> Bool { batch.rows % sharding.shards == 0 }

  /// Whether all of this rank's rows run at once.
  private func runsTogether(_ batch: Batch) -> Bool {
    sharding.runsTogether && isDivided(batch) && batch.rows <= batchSize
  }

  /// The rows of some of this rank's shards.
  private func rows(_ shards: Range<Int>, of batch: Batch) -> Range<Int> {
    let size = batch.rows / sharding.shards
    let first = (sharding.team?.rank ?? 0) * sharding.localShards
    return (first + shards.lowerBound) * size..<(first + shards.upperBound) * size
  }

  /// All rows in order, on every rank alike.
  private func whole(
    _ batch: Batch, state: UnsafeMutableRawBufferPointer, backward: Bool
  ) -> LossStatistics {
    var share = Network.Share(rows: 0..<batch.rows, mostRows: shardRows)
    share.shards = sharding.runsTogether ? 1 : 0
    network.run(batch, share, state: state, backward: backward)
    return LossStatistics(network.statistics, bound: batch.bound)
  }

  private func runTogether(
    _ batch: Batch, state: UnsafeMutableRawBufferPointer, backward: Bool
  ) throws(TeamError) {
    let shards = sharding.localShards
    var share = Network.Share(rows: rows(0..<shards, of: batch), mostRows: .max)
    share.shards = shards
    share.isJoint = true
    network.run(batch, share, state: state, backward: backward)
    try network.jointReadout?.check()
  }

  private func runShard(
    _ shard: Int, of batch: Batch, state: UnsafeMutableRawBufferPointer, backward: Bool
  ) {
    var share = Network.Share(
      rows: rows(shard..<shard + 1, of: batch),
      mostRows: sharding.runsTogether ? shardRows : .max)
    share.shards = sharding.runsTogether ? 1 : 0
    share.statistics = shard
    share.isFirst = shard == 0
    network.run(batch, share, state: state, backward: backward)
  }

  private var shardRows: Int { max(1, batchSize / sharding.shards) }

  /// Leaves the sum of the gradients of some shards in the parameters' gradients, which are zero.
  private func sumTree(_ batch: Batch, _ shards: Range<Int>) {
    guard shards.count > 1 else {
      return runShard(
        shards.lowerBound, of: batch, state: network.trainingState, backward: true)
    }
    let middle = shards.lowerBound + shards.count / 2
    let left = waiting[shards.count.trailingZeroBitCount - 1]
    sumTree(batch, shards.lowerBound..<middle)
    let size = parameters.precision.size
    parameters.forEachGradientRange { range in
      (left + range.lowerBound * size).copyMemory(
        from: parameters.gradients + range.lowerBound * size, byteCount: range.count * size)
    }
    parameters.clearGradients()
    sumTree(batch, middle..<shards.upperBound)
    parameters.forEachGradientRange { range in
      let offset = range.lowerBound * size
      kernels.table.pointee.add_to(
        parameters.gradients + offset, left + offset, Int64(range.count))
    }
  }

  /// Of all shards, as the same tree.
  private func statistics(bound: Double) throws(TeamError) -> LossStatistics {
    let count = Int(MS_STATISTICS)
    let own = (0..<sharding.localShards * count).map { network.statistics[$0] }
    var all =
      try sharding.team.map { team throws(TeamError) in try team.gather(own) }
      .map { Array($0.joined()) } ?? own
    var width = 1
    while width < sharding.shards {
      for shard in stride(from: 0, to: sharding.shards, by: 2 * width) {
        for i in 0..<count { all[shard * count + i] += all[(shard + width) * count + i] }
      }
      width *= 2
    }
    return LossStatistics(all, bound: bound)
  }

  /// Makes sure that all ranks hold the same weights.
  private func compareWeights(before update: Int) throws(TeamError) {
    guard let team = sharding.team, team.size > 1 else { return }
    let bytes = parameters.bytes
    let hash = XXH3_64bits(bytes.baseAddress, bytes.count)
    let all = try team.gather([Double(hash >> 32), Double(hash & 0xffff_ffff)])
    let others = all.indices.filter { all[$0] != all[0] }
    if !others.isEmpty { throw .disagreement(ranks: others, step: update) }
  }
}
