import CKernels

/// Scratch of the kernels over flat rows, in elements: enough for any level, by vectors (`flat_vectors.h`)
/// and by tiles (`flat_tiles.h`), and for any batch up to the largest.
extension PlanBuilder {
  /// Elements of a group of rows that a kernel keeps near: twice as many where every group goes
  /// through too many others, those of `inputs` inputs of all rows of some ranks.
  private func near(_ inputs: Int, parts: Int = 1) -> Int {
    Int(MS_FLAT_NEAR) * (flatDepth(parts) * inputs > Int(MS_FLAT_FAR) ? 2 : 1)
  }

  /// Rows of the smallest group: a part of a read-out's classes.
  private static let fewestRows = Int(MS_READOUT_PART)

  /// Rows of the batch, rounded up to whole vectors.
  var flatRows: Int { layout.flatVectors * Int(MS_LANES) }

  /// `flat_product` with `inputs` columns of weights to `outputs` rows.
  func flatProductRoom(_ outputs: Int, _ inputs: Int) -> Int {
    let depth = min(inputs, Int(MS_FLAT_DEPTH))
    return panelRoom(outputs, depth, near(depth)) + inputRoom(depth, rows: flatRows)
  }

  /// `flat_gradient` of weights of `outputs` rows and `columns` columns.
  func flatGradientRoom(_ outputs: Int, _ columns: Int) -> Int {
    columnRoom(columns) + panelRoom(outputs, flatDepth(), near(columns))
  }

  /// `softmax_readout` of `inputs` inputs to `outputs` classes.
  func softmaxReadoutRoom(_ outputs: Int, _ inputs: Int) -> Int {
    panelRoom(outputs, inputs, near(inputs, parts: options.parts))
      + inputRoom(inputs, rows: flatRows * options.parts)
  }

  /// `softmax_readout_backward` of `inputs` inputs to `outputs` classes.
  func softmaxReadoutGradientRoom(_ outputs: Int, _ inputs: Int) -> Int {
    let (lanes, together, parts) = (Int(MS_LANES), 2, options.parts)
    let (rows, depth) = (flatRows * parts, flatDepth(parts))
    let near = near(inputs, parts: parts)
    let group = min(outputs, Int(MS_FLAT_CLASSES), max(Self.fewestRows, near / inputs))
    let outputGradients =
      options.shardRows > 0
      ? min(group * rows, max(near, Self.fewestRows * depth))
      : group * together * lanes
    let sums = max(lanes * group, (group + lanes - 1) / lanes * lanes * shards * parts)
    let share = options.shardRows > 0 ? flatRows * inputs : 0
    return columnRoom(inputs, parts: parts) + 2 * rows + share + sums + outputGradients
      + panelRoom(group, depth, near) + inputRoom(group, rows: together * lanes)
      + panelRoom(group, inputs, near)
  }

  /// Rows that a sum over rows of some ranks takes: those of each shard up to whole tiles.
  private func flatDepth(_ parts: Int = 1) -> Int {
    tiled(flatRows * parts) + shards * parts * Int(MS_TILE_DEPTH)
  }

  /// Of one rank.
  private var shards: Int {
    options.shardRows > 0 ? max(1, options.maximumRows / options.shardRows) : 1
  }

  /// The panels of a group of the outputs, with `inputs` inputs each.
  private func panelRoom(_ outputs: Int, _ inputs: Int, _ near: Int) -> Int {
    let depth = tiled(inputs + 1)
    let vectors = min(outputs * inputs, max(near, Self.fewestRows * inputs))
    let tiles = min(tiled(outputs) * depth, max(near, Self.fewestRows * depth))
    return max(vectors + Int(MS_LANES), inThirds(tiles))
  }

  /// The panels of `inputs` inputs, and a constant one, of some rows.
  private func inputRoom(_ inputs: Int, rows: Int) -> Int { inThirds(tiled(inputs + 1) * rows) }

  /// Columns of all rows, and the rows' order or places.
  private func columnRoom(_ columns: Int, parts: Int = 1) -> Int {
    flatDepth(parts) + inThirds(tiled(columns) * flatDepth(parts))
  }

  private func tiled(_ count: Int) -> Int {
    (count + Int(MS_TILE_DEPTH) - 1) / Int(MS_TILE_DEPTH) * Int(MS_TILE_DEPTH)
  }

  /// Three parts of 16 bits each.
  private func inThirds(_ count: Int) -> Int { count / 2 * 3 }
}
