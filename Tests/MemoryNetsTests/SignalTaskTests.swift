import Foundation
import MemoryNets
import Testing

/// Tasks whose sequences are numbers.
@Suite struct SignalTaskTests {
  private func training(
    _ generator: some SequenceGenerator, rows: Int, sizes: GeneratedSizes
  ) -> BatchContents {
    BatchReader(GeneratedTask(generator, sizes: sizes, key: PhiloxKey(11)), batchSize: rows)
      .training(0)
  }

  // MARK: - random_memorization

  @Test func theNumberSomeStepsBeforeTheEndIsWanted() {
    var options = RandomMemorizationOptions()
    (options.distance, options.minimumLength, options.maximumLength) = (2, 4, 8)
    let batch = training(RandomMemorization(options: options), rows: 5000, sizes: options.sizes)
    var lengths = [Int](repeating: 0, count: 9)
    var squares = 0.0
    for row in 0..<batch.rows {
      let records = batch.records(row: row)
      let weighted = records.indices.filter { records[$0][2] == 1 }
      #expect(weighted.count == 1)
      let last = weighted[0]
      lengths[last + 1] += 1
      #expect(records[last][1] == records[last - 2][0])
      #expect(records[...last].allSatisfy { -1..<1 ~= $0[0] })
      squares += Double(records[last][1]) * Double(records[last][1])
    }
    #expect(lengths[4...].allSatisfy { abs($0 - 1000) < 120 })
    // The variance of [-1, 1]; standard deviation of the mean 0.0042.
    #expect(abs(squares / 5000 - 1.0 / 3) < 0.02)
  }

  @Test func aDistanceBeyondTheShortestSequenceIsRefused() {
    var options = RandomMemorizationOptions()
    (options.distance, options.minimumLength) = (4, 4)
    #expect(options.validate().map(\.option) == ["distance"])
    (options.minimumLength, options.maximumLength) = (40, 30)
    #expect(options.validate().map(\.option) == ["minimum_length"])
  }

  // MARK: - mackey_glass

  private func series(_ direction: SeriesDirection, rows: Int = 3) -> (BatchContents, MackeyGlass) {
    var options = MackeyGlassOptions()
    (options.length, options.direction) = (500, direction)
    let generator = MackeyGlass(options: options)
    return (training(generator, rows: rows, sizes: options.sizes), generator)
  }

  @Test func theTargetIsAheadOrBackByTheOffset() {
    let (ahead, _) = series(.forecast)
    let (back, _) = series(.recall)
    for row in 0..<3 {
      let forward = ahead.records(row: row)
      let backward = back.records(row: row)
      for step in 0..<485 {
        #expect(forward[step][1] == forward[step + 15][0])
        #expect(backward[step][0] == backward[step + 15][1])
      }
      #expect(forward.map { $0[0] } == backward.map { $0[1] })
    }
  }

  /// An integrator with the whole past in an array, from the draws of the task's own stream.
  @Test func theSeriesSolvesTheEquation() {
    let key = PhiloxKey(11).derived("train")
    let (batch, _) = series(.forecast)
    let order = EpochOrder(count: 64, key: PhiloxKey(11).derived("order"))
    let sequence = withExtendedLifetime(order) { order.sequences(ofEpoch: 0)[1] }
    var draws = PhiloxStream(key: key, stream: UInt64(sequence))
    var x = (0..<170).map { _ in 1.2 + 0.2 * (draws.uniform() - 0.5) } + [1.2]
    var shown: [Double] = []
    for _ in 0..<615 {
      for _ in 0..<10 {
        let delayed = x[x.count - 171]
        let now = x[x.count - 1]
        x.append(now + 0.1 * (0.2 * delayed / (1 + pow(delayed, 10)) - 0.1 * now))
      }
      shown.append(tanh(x[x.count - 1] - 1))
    }
    shown.removeFirst(100)
    let mean = shown.reduce(0, +) / 515
    let records = batch.records(row: 1)
    // Chaos lets the last bits of pow and of products drift apart; a step of 0.1 more would be 1e-2.
    for step in 0..<200 { #expect(abs(Double(records[step][0]) - (shown[step] - mean)) < 1e-5) }
  }

  @Test func theSeriesIsAsSpreadAsThePublishedErrorsImply() throws {
    let (_, generator) = series(.forecast)
    // Of the corrected published results, mean squared error over squared relative error:
    // 1.608e-4 / 0.05872^2 and 1.107e-4 / 0.04873^2, both 0.0466.
    let zero = try #require(generator.baselines.first { $0.name == "always 0" })
    #expect(abs(zero.value - 0.0466) < 0.002)
  }

  // MARK: - delay

  @Test func theTargetsAreTheSignalSomeStepsBefore() {
    var options = DelayOptions()
    (options.delay, options.frequency) = (40, 4)
    let generator = Delay(options: options)
    #expect(generator.delays == [0, 10, 20, 30, 40])
    let batch = training(generator, rows: 80, sizes: options.sizes)
    #expect(batch.steps == 100)
    for row in 0..<batch.rows {
      let records = batch.records(row: row)
      let signal = records.map { Double($0[0]) }
      #expect(signal.map(abs).max() == 1)
      for (step, record) in records.enumerated() {
        #expect(record[6] == (step < 40 ? 0 : 1))
        for (i, delay) in generator.delays.enumerated() where step >= delay {
          #expect(record[1 + i] == records[step - delay][0])
        }
      }
    }
  }

  @Test func theSignalHasItsBandAndNothingElse() {
    var options = DelayOptions()
    (options.delay, options.frequency) = (40, 4)
    let batch = training(Delay(options: options), rows: 60, sizes: options.sizes)
    var power = [Double](repeating: 0, count: 21)
    for row in 0..<batch.rows {
      let signal = batch.records(row: row).map { Double($0[0]) }
      for j in 0...20 {
        var (x, y) = (0.0, 0.0)
        for (step, value) in signal.enumerated() {
          let angle = 2 * Double.pi * Double(j * step) / 100
          (x, y) = (x + value * cos(angle), y + value * sin(angle))
        }
        power[j] += (x * x + y * y) / 60
      }
    }
    // 4 periods within 40 steps are 10 within 100.
    #expect(power[0] < 1e-6 && power[11...].allSatisfy { $0 < 1e-6 })
    let mean = power[1...10].reduce(0, +) / 10
    #expect(power[1...10].allSatisfy { abs($0 / mean - 1) < 0.6 })
  }
}
