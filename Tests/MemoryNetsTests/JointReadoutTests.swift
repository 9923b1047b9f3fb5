import CKernels
import MemoryNets
import Testing

/// Read-outs that ranks work on together, when something goes wrong; that they give the same bits is
/// among `ShardingTests`.
@Suite struct JointReadoutTests {
  /// Two ranks, of which this is the first and does all the work; from some meeting on the other is
  /// missing.
  private final class LonelyTeam: TrainingTeam {
    let rank = 0
    let size = 2
    private let meetings: Int
    private var met = 0
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: 1 << 24, alignment: 64)
    private var used = 64

    init(meetings: Int) { self.meetings = meetings }

    deinit { memory.deallocate() }

    private func room(_ byteCount: Int) -> UnsafeMutableRawPointer {
      let room = memory + used
      used += (byteCount + 63) / 64 * 64
      room.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
      return room
    }

    func gradientRoom(byteCount: Int) -> UnsafeMutableRawPointer { room(byteCount) }

    func sharedRoom(byteCount: Int) -> SharedRoom? {
      SharedRoom(
        base: room(byteCount), distances: [0, 0],
        counter: memory.assumingMemoryBound(to: UInt64.self), serial: 5)
    }

    func meet() throws(TeamError) {
      guard met < meetings else { throw .silent(ranks: [1], seconds: 3) }
      // At the start, when rows have been brought, and after each of two passes, in which the other
      // asks once for a segment and there is none.
      if met > 0, met % 3 != 1, counted >> 32 == 5 {
        memory.storeBytes(of: counted + 1, as: UInt64.self)
      }
      met += 1
    }

    func sum(
      _ ranges: [Range<Int>], of gradients: UnsafeMutableRawPointer, precision: Precision
    ) {}

    func gather(_ numbers: [Double]) -> [[Double]] { [numbers, numbers] }

    /// What the counter would be if another team had taken over.
    func isTakenOver() { memory.storeBytes(of: 6 << 32, as: UInt64.self) }

    var counted: UInt64 { memory.load(as: UInt64.self) }
  }

  private static let shape = TaskShape(
    input: .tokens(vocabulary: 100), outputSize: 300, loss: .softmaxCrossEntropy,
    outputSteps: .every, maximumSteps: 4)

  private static func model(_ team: LonelyTeam) throws -> ShardedNetwork {
    var options = LSTM.Options()
    options.hiddenSize = 20
    var model = ModelOptions()
    model.embeddingSize = 20
    return ShardedNetwork(
      try Network(
        model: model, cell: LSTM(options: options), shape: shape, batchSize: 20,
        initializationKey: PhiloxKey(1), sharding: Sharding(shards: 4, team: team)),
      batchSize: 20)
  }

  private static var batch: Batch {
    let batch = Batch(shape: shape, maximumRows: 20)
    batch.resize(rows: 20, steps: 4)
    for i in 0..<80 { batch.weights[i] = 1 }
    return batch
  }

  /// The meetings of an update are those to bring rows and after each of the two passes.
  @Test(arguments: 0..<3) func aMissingRankEndsTheUpdate(meetings: Int) throws {
    let model = try Self.model(LonelyTeam(meetings: 1 + meetings))
    #expect(throws: TeamError.silent(ranks: [1], seconds: 3)) {
      try model.train(Self.batch, update: 1, noiseKey: PhiloxKey(4))
    }
  }

  @Test func aRankOfAnEarlierTeamTakesNothingFromALaterOne() throws {
    let team = LonelyTeam(meetings: 100)
    let model = try Self.model(team)
    _ = try model.train(Self.batch, update: 1, noiseKey: PhiloxKey(4))
    // All segments, and each rank asks for one more.
    #expect(team.counted == 5 << 32 + 2 * UInt64(MS_READOUT_SEGMENTS + 2))
    team.isTakenOver()
    _ = try model.train(Self.batch, update: 2, noiseKey: PhiloxKey(4))
    #expect(team.counted == 6 << 32)
  }
}
