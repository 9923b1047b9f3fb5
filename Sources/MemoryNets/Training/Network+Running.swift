import CKernels

/// Forward and backward.
extension Network {
  /// Forward and backward over `batch`.
  ///
  /// Overwrites `parameters.gradients` with the gradient of the weighted mean loss. `update` and
  /// `noiseKey` determine dropout masks.
  package func train(_ batch: Batch, update: Int, noiseKey: PhiloxKey) -> LossStatistics {
    startTraining(batch, update: update, noiseKey: noiseKey)
    run(batch, Share(of: batch), state: trainingState, backward: true)
    endGradient()
    return LossStatistics(statistics, bound: batch.bound)
  }

  /// Forward over `batch` without dropout.
  package func evaluate(_ batch: Batch) -> LossStatistics {
    startEvaluation()
    run(batch, Share(of: batch), state: evaluationState, backward: false)
    return LossStatistics(statistics, bound: batch.bound)
  }

  /// The rows of a batch that are run, and how.
  struct Share {
    var rows: Range<Int>
    /// Shards that the gradients and statistics of the rows are summed by; 0 where they are not.
    var shards = 0
    /// Whether the other ranks of the team run theirs at the same time.
    var isJoint = false
    /// The most rows that are run at once.
    var mostRows: Int
    /// Whether no other share of the batch has been run with these weights.
    var isFirst = true
    /// Where the statistics of the rows go, counted in those of a shard.
    var statistics = 0

    init(rows: Range<Int>, mostRows: Int) {
      self.rows = rows
      self.mostRows = mostRows
    }

    /// All of it.
    init(of batch: Batch) { self.init(rows: 0..<batch.rows, mostRows: .max) }
  }

  /// The run that follows writes the gradients `written`; to others it adds.
  func startTraining(
    _ batch: Batch, update: Int, noiseKey: PhiloxKey, written: [Range<Int>] = []
  ) {
    parameters.clearGradients(
      tokens: .init(rebasing: batch.tokens.prefix(batch.steps * batch.rows)), except: written)
    executor.batch.pointee.training = 1
    executor.batch.pointee.update = UInt64(update)
    executor.batch.pointee.random_key = (noiseKey.low, noiseKey.high)
  }

  func startEvaluation() { executor.batch.pointee.training = 0 }

  /// Runs a share of a batch, from and to its sequences' places in `state`; adds to the gradients and
  /// sets the statistics.
  func run(
    _ batch: Batch, _ share: Share, state: UnsafeMutableRawBufferPointer, backward: Bool
  ) {
    let denormals = ms_flush_denormals()
    defer { ms_restore_denormals(denormals) }
    let context = executor.batch
    let statistics = statistics + share.statistics * Int(MS_STATISTICS)
    statistics.update(repeating: 0, count: Int(MS_STATISTICS) * max(share.shards, 1))
    context.pointee.statistics = statistics
    context.pointee.shards = Int64(share.shards)
    context.pointee.joint = share.isJoint && !runsForerunner ? jointReadout?.pointer : nil
    let divisor = shape.lossMean == .sequences ? Double(batch.rows) : batch.totalWeight
    context.pointee.loss_scale = 1 / max(divisor, .leastNormalMagnitude)
    take(batch, firstSequence: 0)
    executor.startBatch(trains: backward, isFirst: share.isFirst)
    forEachPart(of: batch, share) { part, first in
      runTiles(part, state: state, first: first, backward: backward)
    }
  }

  /// Completes the parameters' gradients once those of the whole batch have been summed.
  func endGradient() {
    let denormals = ms_flush_denormals()
    defer { ms_restore_denormals(denormals) }
    parameters.addLookups(kernels)
    executor.endGradient()
  }

  /// Gives `body` the rows of a share, as few parts of them as there is room for, each with its first
  /// row in the batch.
  private func forEachPart(of batch: Batch, _ share: Share, _ body: (Batch, _ first: Int) -> Void) {
    let most = min(part?.maximumRows ?? .max, share.mostRows)
    guard let part, share.rows.count < batch.rows || batch.rows > most else {
      return body(batch, 0)
    }
    for first in stride(from: share.rows.lowerBound, to: share.rows.upperBound, by: most) {
      part.copyRows(first..<min(first + most, share.rows.upperBound), of: batch)
      take(part, firstSequence: first)
      body(part, first)
    }
  }

  /// Tells the kernels of `batch`.
  private func take(_ batch: Batch, firstSequence: Int) {
    let context = executor.batch
    context.pointee.steps = Int64(batch.steps)
    context.pointee.first_step = Int64(batch.firstStep)
    context.pointee.rows = Int64(batch.rows)
    context.pointee.first_sequence = Int64(firstSequence)
    context.pointee.tokens = UnsafePointer(batch.tokens.baseAddress)
    context.pointee.features = UnsafePointer(batch.features.baseAddress)
    context.pointee.classes = UnsafePointer(batch.classes.baseAddress)
    context.pointee.targets = UnsafePointer(batch.targets.baseAddress)
    context.pointee.weights = UnsafePointer(batch.weights.baseAddress)
  }

  /// Runs the tiles of a batch forward from the zero state, its steps counted from 0; each is passed
  /// with its rows.
  func forEachTile(of batch: Batch, _ body: (_ tile: Int, _ rows: Range<Int>) -> Void) {
    take(batch, firstSequence: 0)
    executor.startBatch(trains: false)
    forEachPart(of: batch, Share(of: batch)) { part, offset in
      executor.batch.pointee.first_step = 0
      forEachStart(of: part) { first, tiles, end in
        for tile in 0..<tiles { executor.loadState(tile: tile, nil) }
        executor.runForward()
        for tile in 0..<tiles {
          let start = first + tile * Int(MS_LANES)
          body(tile, offset + start..<offset + min(start + Int(MS_LANES), end))
        }
      }
    }
  }

  /// Turns to the tiles of a batch, as many together as the plan has.
  private func forEachStart(
    of batch: Batch, _ body: (_ firstRow: Int, _ tiles: Int, _ end: Int) -> Void
  ) {
    var row = 0
    while row < batch.rows {
      let first = row
      row = executor.startTiles(from: first)
      body(first, (row - first + Int(MS_LANES) - 1) / Int(MS_LANES), row)
    }
  }

  private func runTiles(
    _ batch: Batch, state: UnsafeMutableRawBufferPointer, first: Int, backward: Bool
  ) {
    let bytes = executor.carriedCount * parameters.precision.size
    forEachStart(of: batch) { row, tiles, _ in
      func saved(_ tile: Int) -> UnsafeMutableRawPointer? {
        state.baseAddress.map { $0 + (first + row + tile * Int(MS_LANES)) * bytes }
      }
      for tile in 0..<tiles {
        executor.loadState(
          tile: tile, batch.continuesState ? saved(tile).map { UnsafeRawPointer($0) } : nil)
      }
      executor.runForward()
      if backward { executor.startBackward() }
      executor.runLoss()
      if backward { executor.runBackward() }
      guard shape.carriesState else { return }
      for tile in 0..<tiles {
        if let place = saved(tile) { executor.saveState(tile: tile, to: place) }
      }
    }
  }
}

extension LossStatistics {
  /// The numbers that a loss kernel has counted.
  init(_ counted: UnsafePointer<Double>, bound: Double) {
    self.init(
      loss: counted[0], weight: counted[1], correct: counted[2], truePositives: counted[3],
      falsePositives: counted[4], falseNegatives: counted[5], silentAnswers: counted[6],
      bound: bound)
  }
}
