import Foundation
import MemoryNets
import Testing

/// The measures on nets whose memory is known.
@Suite struct MemoryProbeTests {
  private func reader(
    _ cell: String, _ options: OptionDictionary, _ shape: TaskShape
  ) throws -> StateReader {
    let kind = try #require(CellRegistry.kind(named: cell))
    var model = ModelOptions()
    model.precision = .double
    return try StateReader(
      model: model, cell: kind.make(try decodeOptions(kind.defaults, from: options)), shape: shape,
      steps: shape.maximumSteps)
  }

  private func set(_ reader: StateReader, _ name: String, _ numbers: [Double]) throws {
    reader.parameters.set(try #require(reader.parameters.view(named: name)), to: numbers)
  }

  /// A linear memory network whose memory is a delay line of ten numbers.
  private func delayLine(_ shape: TaskShape) throws -> StateReader {
    let n = 10
    let reader = try reader(
      "lmn", ["hidden_size": .integer(1), "memory_size": .integer(n)], shape)
    try set(reader, "layer0.W_xh", [1e-4])
    try set(reader, "layer0.W_mh", [Double](repeating: 0, count: n))
    try set(reader, "layer0.W_hm", (0..<n).map { $0 == 0 ? 1e4 : 0 })
    try set(reader, "layer0.W_mm", (0..<n * n).map { $0 / n == $0 % n + 1 ? 1 : 0 })
    return reader
  }

  private func memorization(longest: Int) -> GeneratedTask<RandomMemorization> {
    var options = RandomMemorizationOptions()
    (options.distance, options.minimumLength, options.maximumLength) = (2, 14, longest)
    options.testSize = 800
    return GeneratedTask(
      RandomMemorization(options: options), sizes: options.sizes, key: PhiloxKey(3))
  }

  @Test func aDelayLineRemembersItsLength() throws {
    let task = memorization(longest: 30)
    var options = ProbeOptions()
    (options.lags, options.samples) = (20, 800)
    let probe = MemoryProbe(try delayLine(task.shape), task: task, options: options)
    let capacity = try #require(probe.capacity)
    #expect(capacity.byDelay.prefix(10).allSatisfy { $0 > 0.999 })
    #expect(capacity.byDelay.dropFirst(10).allSatisfy { $0 < 0.1 })
    let retention = try #require(probe.retention)
    // From the empty state lags are those of the shortest sequence; carried on, those asked for.
    #expect(retention.byLag.count == 14 && retention.length() == 10)
    #expect(abs(retention.area - 10) < 0.5)
    let carried = try #require(probe.carriedRetention)
    #expect(carried.byLag.count == 20)
    #expect(probe.bound == "the unit" && probe.trainingLength == 30)
    #expect(probe.carriedSize == 10 && probe.accuracy == nil && probe.study == nil)
    let numbers = Dictionary(uniqueKeysWithValues: probe.numbers.map { ($0.name, $0.value) })
    #expect(numbers["probe.retention_length"] == 10)
    #expect(numbers["probe.memory_capacity"].map { abs($0 - 9) < 0.3 } == true)
    #expect(numbers["probe.spectral_radius"] == 0)
  }

  @Test func inputsThatAreAllAlikeAreNoGap() throws {
    // After `??` comes the query: lags 1 and 2 tell nothing.
    var options = AssociativeRetrievalOptions()
    (options.pairs, options.testSize) = (1, 400)
    let task = GeneratedTask(
      AssociativeRetrieval(layout: .art, pairs: 1), sizes: options.sizes, key: PhiloxKey(3))
    let net = try reader("elman", ["hidden_size": .integer(37 * 5)], task.shape)
    // Five one-hot tokens, each moved on by the next.
    let (n, v) = (37 * 5, 37)
    try set(net, "layer0.W_x", (0..<n * v).map { $0 / v == $0 % v ? 1e-3 : 0 })
    try set(net, "layer0.W_h", (0..<n * n).map { $0 / n == $0 % n + v ? 1 : 0 })
    var probing = ProbeOptions()
    (probing.lags, probing.samples) = (5, 400)
    let retention = try #require(MemoryProbe(net, task: task, options: probing).retention)
    #expect(retention.byLag.map { $0 == nil } == [false, true, true, false, false])
    #expect(retention.length() == 5)
  }

  @Test func shortTrainingBoundsWhatTheUnitCouldHold() throws {
    var options = RandomMemorizationOptions()
    (options.distance, options.minimumLength, options.maximumLength) = (2, 6, 6)
    options.testSize = 800
    let task = GeneratedTask(
      RandomMemorization(options: options), sizes: options.sizes, key: PhiloxKey(3))
    var probing = ProbeOptions()
    (probing.lags, probing.samples) = (20, 800)
    let probe = MemoryProbe(try delayLine(task.shape), task: task, options: probing)
    #expect(probe.bound == "the training length")
    #expect(probe.retention?.length() == 6)
    // Without a reset the delay line shows what it can hold, up to twice the training length.
    #expect(probe.carriedRetention?.byLag.count == 12)
    #expect(probe.carriedRetention?.length() == 10)
  }

  @Test func statesAreThoseOfTheEquations() throws {
    let shape = TaskShape(
      input: .features(size: 1), outputSize: 1, loss: .squaredError, outputSteps: .last,
      maximumSteps: 3)
    let reader = try reader("elman", ["hidden_size": .integer(1)], shape)
    try set(reader, "layer0.W_x", [0.7])
    try set(reader, "layer0.W_h", [-0.6])
    try set(reader, "layer0.b", [0.1])
    let batch = Batch(shape: shape, maximumRows: 2)
    var expected = [0.0, 0.0]
    for piece in 0..<2 {
      batch.resize(rows: 2, steps: 3)
      for i in 0..<6 { batch.features[i] = Float(i + piece) * 0.25 }
      reader.run(batch, after: 3 * piece)
      for step in 0..<3 {
        for row in 0..<2 {
          let x = Double(batch.features[step * 2 + row])
          expected[row] = tanh(0.7 * x - 0.6 * expected[row] + 0.1)
          var state: [Double] = []
          reader.appendState(row: row, step: step, to: &state)
          #expect(state.count == 1 && abs(state[0] - expected[row]) < 1e-12)
        }
      }
    }
  }

  @Test func aLargeStateIsReadAsSums() throws {
    let shape = TaskShape(
      input: .features(size: 1), outputSize: 1, loss: .squaredError, outputSteps: .last,
      maximumSteps: 2)
    let reader = try reader("fw_rnn", ["hidden_size": .integer(24)], shape)
    #expect(reader.carriedSize == 24 + 24 * 24 && reader.size == StateReader.largestState)
    let batch = Batch(shape: shape, maximumRows: 1)
    batch.resize(rows: 1, steps: 2)
    batch.features.update(repeating: 0.5)
    reader.run(batch)
    var state: [Double] = []
    reader.appendState(row: 0, step: 1, to: &state)
    #expect(state.count == 512 && state.contains { $0 != 0 })
  }

  @Test func recurrentMatricesAreTheirSquareBlocks() throws {
    let task = memorization(longest: 20)
    var options = ProbeOptions()
    (options.lags, options.samples) = (5, 64)
    let lstm = try reader("lstm", ["hidden_size": .integer(3)], task.shape)
    let probe = MemoryProbe(lstm, task: task, options: options)
    #expect(probe.spectra.map(\.name) == (0..<4).map { "layer0.W_h[\($0)]" })
    #expect(probe.spectra.allSatisfy { $0.real.count == 3 })
  }

  @Test func aNetThatSaysYesRecallsAllAndRejectsNothing() throws {
    var options = MemoryVerificationOptions()
    (options.vocabulary, options.length, options.testSize) = (20, 6, 64)
    let task = GeneratedTask(
      MemoryVerification(vocabulary: 20, length: 6), sizes: options.sizes, key: PhiloxKey(3))
    let net = try reader("elman", ["hidden_size": .integer(4)], task.shape)
    try set(net, "readout.W", [Double](repeating: 0, count: 8))
    try set(net, "readout.b", [0, 1])
    var probing = ProbeOptions()
    (probing.lags, probing.samples, probing.lists) = (6, 64, 2)
    let study = try #require(MemoryProbe(net, task: task, options: probing).study)
    #expect(study.uniform == [[Double]](repeating: [1, 1, 1, 1, 1, 1], count: 6))
    #expect(study.half == [1, 1, 1, 1, 1, 1])
    #expect(study.rejection == [0, 0, 0, 0, 0, 0])
    try set(net, "readout.b", [1, 0])
    let never = try #require(MemoryProbe(net, task: task, options: probing).study)
    #expect(never.byStudyPosition == [0, 0, 0, 0, 0, 0])
    #expect(never.rejection == [1, 1, 1, 1, 1, 1])
    // Every second query is new, the first one not.
    #expect(never.halfRejection == [0, 1, 0, 1, 0, 1])
  }

  @Test func wholeSequencesNeedEveryAnswer() throws {
    var options = RepeatOptions()
    (options.symbols, options.minimumLength, options.maximumLength) = (2, 2, 3)
    (options.validationSize, options.testSize) = (64, 640)
    let task = GeneratedTask(Repeat(options: options), sizes: options.sizes, key: PhiloxKey(4))
    let net = try reader("elman", ["hidden_size": .integer(4)], task.shape)
    try set(net, "readout.W", [Double](repeating: 0, count: 8))
    try set(net, "readout.b", [1, 0])
    var probing = ProbeOptions()
    (probing.lags, probing.samples) = (4, 640)
    let accuracy = try #require(MemoryProbe(net, task: task, options: probing).accuracy)
    let batches = BatchReader(task, batchSize: 640).evaluation(.test)[0]
    var (whole, first) = (0, 0)
    for row in 0..<640 {
      let string = batches.tokens(row: row).prefix { $0 < 2 }
      whole += string.allSatisfy { $0 == 0 } ? 1 : 0
      first += string[0] == 0 ? 1 : 0
    }
    #expect(accuracy.byPosition.count == 3)
    #expect(accuracy.byPosition[0] == Double(first) / 640)
    #expect(accuracy.ofWholeSequences == Double(whole) / 640)
  }
}
