import CKernels

/// Runs a plan: tile after tile through all steps, or, where the plan has flat rows, all tiles of
/// a batch together.
///
/// Owns the arenas and the kernel calls with their pointers filled in. Allocates nothing after it
/// is made; a call costs one indirect jump.
final class Executor {
  let plan: Plan
  let parameters: ParameterStore
  let precision: Precision
  private let memory: ExecutorMemory
  /// What the kernels know of the batch; steps, rows and the batch's arrays are filled in by the
  /// caller before the first tile.
  let batch: UnsafeMutablePointer<ms_context>
  /// By tile.
  private let contexts: UnsafeMutablePointer<ms_context>
  private let flatContext: UnsafeMutablePointer<ms_context>
  /// All calls for the first tile, then all for the next.
  private let instructions: UnsafeMutablePointer<ms_instruction>
  /// All of the plan's calls, in the order of the instructions.
  let calls: [Plan.Call]
  private let parts: ExecutorParts
  private var activeTiles = 1
  private var lanesOfLastVector = 0
  /// While set, nanoseconds and runs of each call are added to it.
  var profile: ExecutorProfile?

  init(plan: Plan, parameters: ParameterStore, instructionSet: InstructionSet) {
    self.plan = plan
    self.parameters = parameters
    precision = parameters.precision
    memory = ExecutorMemory(plan: plan, precision: precision)
    batch = .allocate(capacity: 1)
    batch.initialize(to: ms_context())
    contexts = .allocate(capacity: plan.tiles)
    contexts.initialize(repeating: ms_context(), count: plan.tiles)
    flatContext = .allocate(capacity: 1)
    flatContext.initialize(to: ms_context())
    (parts, calls) = ExecutorParts.of(plan)
    instructions = .allocate(capacity: max(calls.count * plan.tiles, 1))
    memory.write(plan.fixedWeights, precision)
    let table = Kernels(instructionSet, precision).table
    for tile in 0..<plan.tiles {
      for (i, call) in calls.enumerated() {
        (instructions + tile * calls.count + i).initialize(to: resolve(call, tile, table))
      }
    }
  }

  deinit {
    batch.deallocate()
    contexts.deallocate()
    flatContext.deallocate()
    instructions.deallocate()
  }

  private func resolve(
    _ call: Plan.Call, _ tile: Int, _ table: UnsafePointer<ms_kernels>
  ) -> ms_instruction {
    var instruction = ms_instruction()
    instruction.run = table.pointee[keyPath: call.kernel]
    withUnsafeMutableBytes(of: &instruction.operand) { raw in
      let operands = raw.bindMemory(to: ms_operand.self)
      for (i, address) in call.operands.enumerated() {
        operands[i] = ms_operand(
          base: pointer(address, tile: tile)?.assumingMemoryBound(to: CChar.self),
          stride: Int64(address.stride * precision.size))
      }
    }
    withUnsafeMutableBytes(of: &instruction.size) { raw in
      let sizes = raw.bindMemory(to: Int64.self)
      for (i, size) in call.sizes.enumerated() { sizes[i] = Int64(size) }
    }
    withUnsafeMutableBytes(of: &instruction.scalar) { raw in
      let scalars = raw.bindMemory(to: Double.self)
      for (i, scalar) in call.scalars.enumerated() { scalars[i] = scalar }
    }
    return instruction
  }

  /// Where an address stands at step 0; nil for no operand.
  func pointer(_ address: Address, tile: Int = 0) -> UnsafeMutableRawPointer? {
    let offset = address.offset * precision.size
    return switch address.space {
    case .arena: memory.arena(tile) + offset
    case .shared: memory.shared + offset
    case .scratch: memory.scratch + offset
    case .values: parameters.values + offset
    case .gradients: parameters.gradients + offset
    case .none: nil
    }
  }

  /// One number of a value.
  func number(_ address: Address, step: Int, feature: Int, lane: Int, tile: Int = 0) -> Double {
    guard let base = pointer(address, tile: tile) else { return 0 }
    let i = step * address.stride + feature * Int(MS_LANES) + lane
    return switch precision {
    case .float: Double(base.load(fromByteOffset: i * 4, as: Float.self))
    case .double: base.load(fromByteOffset: i * 8, as: Double.self)
    }
  }

  /// Bytes of activations, gradients, caches and scratch.
  var arenaBytes: Int { memory.byteCount }

  // MARK: - Running

  /// Computes what all tiles of a batch share; before the first, and after every change of the
  /// parameters.
  ///
  /// Of a part of a batch that is not the first nothing is left to compute.
  func startBatch(trains: Bool, isFirst: Bool = true) {
    contexts.pointee = batch.pointee
    guard isFirst else { return }
    for run in parts.batchStart { runCalls(run.calls, on: contexts, step: 0) }
    guard trains else { return }
    for run in parts.gradientStart { runCalls(run.calls, on: contexts, step: 0) }
  }

  /// Turns to the tiles from `firstRow` on, `plan.tiles` at most; gives the row after them.
  func startTiles(from firstRow: Int) -> Int {
    let lanes = Int(MS_LANES)
    let rows = Int(batch.pointee.rows)
    let end = min(rows, firstRow + plan.tiles * lanes)
    activeTiles = (end - firstRow + lanes - 1) / lanes
    batch.pointee.sequences = batch.pointee.rows
    batch.pointee.tiles = Int64(activeTiles)
    batch.pointee.tile_stride = Int64(memory.tileBytes)
    for tile in 0..<activeTiles {
      let first = firstRow + tile * lanes
      contexts[tile] = batch.pointee
      contexts[tile].first_row = Int64(first)
      contexts[tile].lanes = Int64(min(lanes, end - first))
    }
    let flatRows = rows * Int(batch.pointee.steps)
    flatContext.pointee = batch.pointee
    flatContext.pointee.first_row = 0
    flatContext.pointee.rows = Int64(lanes)
    flatContext.pointee.steps = Int64((flatRows + lanes - 1) / lanes)
    lanesOfLastVector = flatRows - (flatRows - 1) / lanes * lanes
    return end
  }

  /// Computes values and outputs of the tiles.
  func runForward() { run(parts.forward, descending: false) }

  /// Adds the loss of the tiles' outputs to the statistics and, after `startBackward`, makes the
  /// gradient of the outputs.
  func runLoss() { run(parts.loss, descending: false) }

  /// Clears what the backward pass adds to.
  func startBackward() { run(parts.backwardStart, descending: false) }

  /// Adds the tiles' gradients to those of the parameters; the outputs' gradient is given.
  func runBackward() {
    run(parts.backward, descending: true)
    run(parts.finish, descending: false)
  }

  /// Adds to the parameters' gradients what those of other weights give, summed over the whole batch.
  func endGradient() { run(parts.gradientEnd, descending: false) }

  private func run(_ runs: [ExecutorParts.Run], descending: Bool) {
    let steps = Int(batch.pointee.steps)
    for run in runs {
      switch run.repetition {
      case .everyStep:
        for i in 0..<steps { runTiles(run.calls, step: descending ? steps - 1 - i : i) }
      case .lastStep: runTiles(run.calls, step: steps - 1)
      case .everyVector: runVectors(run.calls)
      case .once:
        flatContext.pointee.lanes = Int64(lanesOfLastVector)
        runCalls(run.calls, on: flatContext, step: 0)
      }
    }
  }

  /// Call after call, each for all tiles.
  private func runTiles(_ range: Range<Int>, step: Int) {
    guard plan.isFlat else { return runCalls(range, on: contexts, step: step) }
    for i in range {
      let tiles = calls[i].scope == .tiles ? 1 : activeTiles
      for tile in 0..<tiles {
        runCalls(i..<i + 1, on: contexts + tile, step: step, tile: tile)
      }
    }
  }

  private func runVectors(_ range: Range<Int>) {
    let vectors = Int(flatContext.pointee.steps)
    for vector in 0..<vectors {
      let isLast = vector == vectors - 1
      flatContext.pointee.lanes = Int64(isLast ? lanesOfLastVector : Int(MS_LANES))
      runCalls(range, on: flatContext, step: vector)
    }
  }

  @inline(__always)
  private func runCalls(
    _ range: Range<Int>, on context: UnsafeMutablePointer<ms_context>, step: Int, tile: Int = 0
  ) {
    let instructions = instructions + tile * calls.count
    if let profile {
      for i in range {
        profile.measure(call: i, step: step, context.pointee) {
          instructions[i].run?(instructions + i, context, Int64(step))
        }
      }
      return
    }
    var instruction = UnsafePointer(instructions + range.lowerBound)
    let end = UnsafePointer(instructions + range.upperBound)
    while instruction < end {
      instruction.pointee.run?(instruction, context, Int64(step))
      instruction += 1
    }
  }
}

// MARK: - What is carried

extension Executor {
  /// Numbers that a sequence carries from batch to batch.
  var carriedCount: Int { plan.carried.reduce(0) { $0 + $1.count } }

  /// Sets the initial state of a tile, counted from the first of those that run now: zero, or what
  /// `saveState` saved of its sequences.
  func loadState(tile: Int = 0, _ saved: UnsafeRawPointer?) {
    forEachCarried(tile: tile, step: 0) { slot, numbers in
      slot.initializeMemory(
        as: UInt8.self, repeating: 0, count: numbers.count * Int(MS_LANES) * precision.size)
      guard let saved else { return }
      forEachNumber(tile, numbers) { number, lane in
        (slot + number).copyMemory(from: saved + lane, byteCount: precision.size)
      }
    }
  }

  /// Saves the state after the last step of a tile, the numbers of one sequence after those of
  /// another.
  func saveState(tile: Int = 0, to destination: UnsafeMutableRawPointer) {
    forEachCarried(tile: tile, step: Int(batch.pointee.steps)) { slot, numbers in
      forEachNumber(tile, numbers) { number, lane in
        (destination + lane).copyMemory(from: slot + number, byteCount: precision.size)
      }
    }
  }

  /// Gives `body` each slot of what is carried into a step, and which of a sequence's numbers it has.
  private func forEachCarried(
    tile: Int, step: Int, _ body: (UnsafeMutableRawPointer, _ numbers: Range<Int>) -> Void
  ) {
    var position = 0
    for carried in plan.carried {
      guard let first = pointer(carried.slots, tile: tile) else { continue }
      for slot in step..<step + carried.depth {
        body(
          first + slot * carried.slots.stride * precision.size, position..<position + carried.size)
        position += carried.size
      }
    }
  }

  /// Where each number of each sequence of a tile stands, in bytes: within its slot, and where states
  /// are saved.
  @inline(__always)
  private func forEachNumber(
    _ tile: Int, _ numbers: Range<Int>, _ body: (_ inSlot: Int, _ inSaved: Int) -> Void
  ) {
    let count = carriedCount
    for lane in 0..<Int(contexts[tile].lanes) {
      for number in numbers {
        body(
          ((number - numbers.lowerBound) * Int(MS_LANES) + lane) * precision.size,
          (lane * count + number) * precision.size)
      }
    }
  }
}
