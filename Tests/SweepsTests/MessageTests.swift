import MemoryNets
import Sweeps
import Testing

@Suite struct MessageTests {
  private let trial = Trial(
    identity: TrialIdentity(high: .max, low: 0x0123_4567_89ab_cdef), method: "fw_lstm ⊗",
    parameters: [
      TrialParameter(path: "model.hidden_size", value: .integer(-50)),
      TrialParameter(
        path: "task.layers", value: .list([.number(.infinity), .list([]), .string("")])),
    ],
    configuration: TrialConfiguration(
      task: ["kind": .string("copy"), "lengths": .list([.integer(.max), .integer(.min)])],
      model: ["norm": .boolean(true), "peephole": .boolean(false)],
      train: ["learning_rate": .number(1e-3), "zero": .number(-0.0)], seed: 7,
      vary: [.order, .data],
      metric: MetricGoal(
        name: "validation.accuracy", direction: .maximize, target: 0.99, stopsAtTarget: true),
      sharing: GradientSharing(reduction: .fast, gradients: .bfloat16, ranks: 8)),
    ranks: 8)

  private var result: TrialResult {
    var result = TrialResult(status: .diverged, steps: 12345)
    result.metrics = [MetricPoint(step: 1, name: "train.loss", value: 0.25)]
    result.history = [
      MetricPoint(step: 1, name: "train.loss", value: 0.25),
      MetricPoint(step: 2, name: "validation.loss", value: -.infinity),
    ]
    result.stepsToTarget = 300
    result.reason = "the loss of update 12345 is not finite"
    result.parameterCount = 1 << 40
    result.stateSize = 3
    result.seconds = 1.5
    result.secondsToTarget = 0.1
    result.startedAt = 1.7e9
    result.finishedAt = 1.7e9 + 1
    result.host = "node-3"
    result.rank = 31
    result.attempt = 2
    return result
  }

  private var allMessages: (to: [ToWorker], from: [FromWorker]) {
    let assignment = Assignment(lease: 3 << 40 | 5, attempt: 2, trial: trial, team: [3, 1])
    return (
      [
        .lease(version: 9, keep: [3 << 40 | 1, 3 << 40 | 5], new: [assignment, assignment]), .stop,
        .goodbye(finalizes: true), .goodbye(finalizes: false),
      ],
      [
        .beat(seen: 4, holding: [1, 300, .max], progress: nil),
        .beat(
          seen: 0, holding: [],
          progress: TrialProgress(step: 3, totalSteps: 10, metric: 0.5)),
        .outcomes([
          Outcome(lease: 1, elapsedSeconds: 0.25, end: .finished(result)),
          Outcome(lease: 2, elapsedSeconds: 0, end: .preempted(step: 17)),
          Outcome(lease: 3, elapsedSeconds: 1, end: .abandoned),
          Outcome(lease: 4, elapsedSeconds: 1, end: .yielded(step: 5)),
          Outcome(lease: 5, elapsedSeconds: 1, end: .followed),
          Outcome(lease: 6, elapsedSeconds: 1, end: .broken(step: 9, reason: "rank 3")),
        ]), .left,
      ]
    )
  }

  @Test func assignmentsComeThroughUnchanged() throws {
    let sent = Assignment(lease: 3 << 40 | 5, attempt: 2, trial: trial, team: [9, 2, 300, 4])
    let bytes = ToWorker.lease(version: 9, keep: [7, 8, 3 << 40 | 5], new: [sent]).encoded
    guard case .lease(let version, let keep, let new) = try ToWorker(decoding: bytes) else {
      Issue.record("not a lease message")
      return
    }
    #expect(version == 9)
    #expect(keep == [7, 8, 3 << 40 | 5])
    #expect(new == [sent])
    guard case .number(let zero) = new.first?.trial.configuration.train["zero"] else { return }
    #expect(zero.sign == .minus)
  }

  @Test func stopAndGoodbyeComeThrough() throws {
    guard case .stop = try ToWorker(decoding: ToWorker.stop.encoded) else {
      Issue.record("not stop")
      return
    }
    for finalizes in [true, false] {
      let bytes = ToWorker.goodbye(finalizes: finalizes).encoded
      guard case .goodbye(finalizes) = try ToWorker(decoding: bytes) else {
        Issue.record("not goodbye")
        return
      }
    }
  }

  @Test func outcomesComeThroughUnchanged() throws {
    let outcomes = [
      Outcome(lease: 5, elapsedSeconds: 0.25, end: .finished(result)),
      Outcome(lease: 6, elapsedSeconds: 2, end: .preempted(step: 17)),
      Outcome(lease: 4, elapsedSeconds: 3, end: .abandoned),
      Outcome(lease: 7, elapsedSeconds: 4, end: .yielded(step: 5)),
      Outcome(lease: 8, elapsedSeconds: 5, end: .followed),
      Outcome(lease: 9, elapsedSeconds: 6, end: .broken(step: 9, reason: "rank 3")),
    ]
    let bytes = FromWorker.outcomes(outcomes).encoded
    guard case .outcomes(let read) = try FromWorker(decoding: bytes), read.count == 6 else {
      Issue.record("not six outcomes")
      return
    }
    #expect(read.map(\.lease) == [5, 6, 4, 7, 8, 9])
    #expect(read.map(\.elapsedSeconds) == [0.25, 2, 3, 4, 5, 6])
    guard case .finished(result) = read[0].end, case .preempted(17) = read[1].end,
      case .abandoned = read[2].end, case .yielded(5) = read[3].end, case .followed = read[4].end,
      case .broken(9, "rank 3") = read[5].end
    else {
      Issue.record("other outcomes: \(read)")
      return
    }
  }

  @Test func beatsComeThroughUnchanged() throws {
    let progress = TrialProgress(step: 3, totalSteps: 10, metric: nil)
    let bytes = FromWorker.beat(seen: 4, holding: [9, 300, .max, 2], progress: progress).encoded
    guard case .beat(4, [9, 300, .max, 2], let read?) = try FromWorker(decoding: bytes) else {
      Issue.record("another beat")
      return
    }
    #expect(read.step == 3 && read.totalSteps == 10 && read.metric == nil)
  }

  @Test func everyCutMessageIsRefused() {
    let messages = allMessages
    for bytes in messages.to.map(\.encoded) {
      for count in 0..<bytes.count {
        #expect(throws: MessageError.self) { try ToWorker(decoding: Array(bytes.prefix(count))) }
      }
      #expect(throws: MessageError.self) { try ToWorker(decoding: bytes + [0]) }
    }
    for bytes in messages.from.map(\.encoded) {
      for count in 0..<bytes.count {
        #expect(throws: MessageError.self) { try FromWorker(decoding: Array(bytes.prefix(count))) }
      }
      #expect(throws: MessageError.self) { try FromWorker(decoding: bytes + [0]) }
    }
  }

  /// Whatever comes in, the decoder returns or throws; a count never makes it allocate more than
  /// the message could hold.
  @Test func damagedMessagesNeverTrap() {
    let messages = allMessages
    let originals = messages.to.map(\.encoded) + messages.from.map(\.encoded)
    var random = PhiloxStream(key: PhiloxKey(1).derived("fuzz"), stream: 0)
    var refused = 0
    for round in 0..<20_000 {
      var bytes = originals[round % originals.count]
      for _ in 0...random.integer(below: 3) {
        let place = random.integer(below: bytes.count + 1)
        switch random.integer(below: 4) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(random.integer(below: 8))
        case 1: bytes.insert(UInt8(random.integer(below: 256)), at: place)
        case 2 where place < bytes.count: bytes.remove(at: place)
        default: bytes.replaceSubrange(place..., with: [0xff, 0xff, 0xff, 0xff, 0x7f])
        }
      }
      do {
        _ = try ToWorker(decoding: bytes)
        _ = try FromWorker(decoding: bytes)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 10_000)
  }

  @Test func numbersThatDoNotFitAreRefused() throws {
    var reader = ByteReader([UInt8](repeating: 0xff, count: 9) + [0x02])
    #expect(throws: MessageError.numberOutOfRange) { try reader.unsigned() }
    var widest = ByteReader([UInt8](repeating: 0xff, count: 9) + [0x01])
    #expect(try widest.unsigned() == .max)
  }

  @Test func listsWithinListsWithoutEndAreRefused() {
    // A list of one list of one list ...
    let nested = (0..<400).map { $0 % 2 == 0 ? 4 : 1 as UInt8 }
    var reader = ByteReader(nested)
    #expect(throws: MessageError.tooDeep) { try reader.optionValue() }
  }

  @Test func integersOfEverySizeComeBack() throws {
    var integers = [Int.min, Int.max]
    for bit in 0..<63 { integers += [1 << bit, -(1 << bit), (1 << bit) - 1] }
    var writer = ByteWriter()
    for integer in integers { writer.write(integer) }
    var reader = ByteReader(writer.bytes)
    for integer in integers { #expect(try reader.integer() == integer) }
    #expect(throws: Never.self) { try reader.expectEnd() }
  }

  @Test func anAssignmentIsCompact() {
    let bytes = ToWorker.lease(
      version: 1, keep: [1], new: [Assignment(lease: 1, attempt: 1, trial: numberedTrial(1))]
    ).encoded
    #expect(bytes.count < 160, "\(bytes.count) bytes")
  }
}
