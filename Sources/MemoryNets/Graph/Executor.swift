import CKernels

/// Runs a plan over one tile of sequences after the other.
///
/// Owns the arena and the kernel calls with their pointers filled in. Allocates nothing after it
/// is made; a call costs one indirect jump.
final class Executor {
  let plan: Plan
  let parameters: ParameterStore
  let precision: Precision
  private let arena: UnsafeMutableRawPointer
  private let context: UnsafeMutablePointer<ms_context>
  private var instructions: UnsafeMutablePointer<ms_instruction>
  private let batchStart: Range<Int>
  private let gradientStart: Range<Int>
  private let gradientEnd: Range<Int>
  private let forward: [(range: Range<Int>, isLastStepOnly: Bool)]
  private let loss: (range: Range<Int>, isLastStepOnly: Bool)
  private let backwardStart: Range<Int>
  private let backward: [(range: Range<Int>, isLastStepOnly: Bool)]
  private let finish: Range<Int>
  /// All of the plan's calls, in the order of the instructions.
  let calls: [Plan.Call]
  /// While set, nanoseconds and runs of each call are added to it.
  var profile: ExecutorProfile?

  init(plan: Plan, parameters: ParameterStore, instructionSet: InstructionSet) {
    self.plan = plan
    self.parameters = parameters
    precision = parameters.precision
    let bytes = max(plan.arenaCount, 1) * precision.size
    arena = .allocate(byteCount: bytes, alignment: 64)
    arena.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    context = .allocate(capacity: 1)
    context.initialize(to: ms_context())

    var calls: [Plan.Call] = []
    func append(_ more: [Plan.Call]) -> Range<Int> {
      calls += more
      return calls.count - more.count..<calls.count
    }
    forward = plan.forward.map { (append($0.calls), $0.isLastStepOnly) }
    loss = (append(plan.loss.calls), plan.loss.isLastStepOnly)
    backwardStart = append(plan.backwardStart)
    backward = plan.backward.map { (append($0.calls), $0.isLastStepOnly) }
    finish = append(plan.finish)
    batchStart = append(plan.batchStart)
    gradientStart = append(plan.gradientStart)
    gradientEnd = append(plan.gradientEnd)
    self.calls = calls
    instructions = .allocate(capacity: max(calls.count, 1))
    let table = Kernels(instructionSet, precision).table
    for (i, call) in calls.enumerated() {
      (instructions + i).initialize(to: resolve(call, table))
    }
  }

  deinit {
    arena.deallocate()
    context.deallocate()
    instructions.deallocate()
  }

  private func resolve(_ call: Plan.Call, _ table: UnsafePointer<ms_kernels>) -> ms_instruction {
    var instruction = ms_instruction()
    instruction.run = table.pointee[keyPath: call.kernel]
    withUnsafeMutableBytes(of: &instruction.operand) { raw in
      let operands = raw.bindMemory(to: ms_operand.self)
      for (i, address) in call.operands.enumerated() {
        operands[i] = ms_operand(
          base: pointer(address)?.assumingMemoryBound(to: CChar.self),
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
  func pointer(_ address: Address) -> UnsafeMutableRawPointer? {
    let base: UnsafeMutableRawPointer
    switch address.space {
    case .arena: base = arena
    case .values: base = parameters.values
    case .gradients: base = parameters.gradients
    case .none: return nil
    }
    return base + address.offset * precision.size
  }

  /// What the kernels know of the batch and the tile; filled in by the caller before each tile.
  var batch: UnsafeMutablePointer<ms_context> { context }

  var arenaBytes: Int { plan.arenaCount * precision.size }

  // MARK: - Running

  /// Computes what all tiles of a batch share; before the first, and after every change of the
  /// parameters.
  func startBatch(trains: Bool) {
    run(batchStart, step: 0)
    if trains { run(gradientStart, step: 0) }
  }

  /// Adds to the parameters' gradients what was gathered over all tiles; after the last.
  func endGradient() {
    run(gradientEnd, step: 0)
  }

  /// Computes values and outputs of the tile that `batch` describes.
  func runForward() {
    for segment in forward { runAscending(segment.range, segment.isLastStepOnly) }
  }

  /// Adds the loss of the tile's outputs to the statistics; with `gradient`, also makes the
  /// gradient of the outputs.
  func runLoss() {
    runAscending(loss.range, loss.isLastStepOnly)
  }

  /// Clears what the backward pass adds to.
  func startBackward() {
    run(backwardStart, step: 0)
  }

  /// Adds the tile's gradients to those of the parameters; the outputs' gradient is given.
  func runBackward() {
    let steps = Int(context.pointee.steps)
    for segment in backward {
      let first = segment.isLastStepOnly ? steps - 1 : 0
      var step = steps - 1
      while step >= first {
        run(segment.range, step: step)
        step -= 1
      }
    }
    run(finish, step: steps - 1)
  }

  private func runAscending(_ range: Range<Int>, _ isLastStepOnly: Bool) {
    let steps = Int(context.pointee.steps)
    for step in (isLastStepOnly ? steps - 1 : 0)..<steps { run(range, step: step) }
  }

  @inline(__always)
  private func run(_ range: Range<Int>, step: Int) {
    if let profile {
      for i in range {
        profile.measure(call: i, step: step) {
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

  // MARK: - What is carried

  /// Bytes that a tile carries from batch to batch.
  var carriedBytes: Int {
    plan.carried.reduce(0) { $0 + $1.size } * Int(MS_LANES) * precision.size
  }

  /// Sets the initial state of a tile: zero, or what `saveState` saved.
  func loadState(_ saved: UnsafeRawPointer?) {
    var position = 0
    for slot in plan.carried {
      guard let initial = pointer(slot.slots) else { continue }
      let bytes = slot.size * Int(MS_LANES) * precision.size
      if let saved {
        initial.copyMemory(from: saved + position, byteCount: bytes)
      } else {
        initial.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
      }
      position += bytes
    }
  }

  /// Saves the state after the last step of a tile.
  func saveState(to destination: UnsafeMutableRawPointer) {
    var position = 0
    let steps = Int(context.pointee.steps)
    for slot in plan.carried {
      guard let initial = pointer(slot.slots) else { continue }
      let bytes = slot.size * Int(MS_LANES) * precision.size
      let final = initial + steps * slot.slots.stride * precision.size
      (destination + position).copyMemory(from: final, byteCount: bytes)
      position += bytes
    }
  }
}
