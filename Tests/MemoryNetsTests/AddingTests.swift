import MemoryNets
import Testing

@Suite struct AddingTests {
  private func contents(length: Int, rows: Int) -> BatchContents {
    var options = AddingOptions()
    options.length = length
    let task = GeneratedTask(
      Adding(length: length), sizes: options.sizes, key: PhiloxKey(6))
    return BatchReader(task, batchSize: rows).training(0)
  }

  @Test(arguments: [2, 3, 50])
  func theTargetIsTheSumOfTheMarkedNumbers(length: Int) {
    let batch = contents(length: length, rows: 400)
    for row in 0..<batch.rows {
      let records = batch.records(row: row)
      #expect(records.allSatisfy { 0..<1 ~= $0[0] && ($0[1] == 0 || $0[1] == 1) })
      #expect(records.count { $0[1] == 1 } == 2)
      #expect(records.reduce(0) { $0 + $1[0] * $1[1] } == batch.targets[row])
    }
  }

  @Test func theMarksAreUniformOverPairsOfSteps() {
    let batch = contents(length: 5, rows: 10_000)
    var counts: [[Int]: Int] = [:]
    for row in 0..<batch.rows {
      let records = batch.records(row: row)
      counts[records.indices.filter { records[$0][1] == 1 }, default: 0] += 1
    }
    #expect(counts.count == 10)
    // Quantile 0.999 of chi-square with 9 degrees of freedom.
    let statistic = counts.values.reduce(0.0) {
      $0 + (Double($1) - 1000) * (Double($1) - 1000) / 1000
    }
    #expect(statistic < 27.88)
  }

  @Test func answeringOneReachesTheBaseline() throws {
    let batch = contents(length: 10, rows: 20_000)
    let loss =
      batch.targets.reduce(0.0) { $0 + (Double($1) - 1) * (Double($1) - 1) } / Double(batch.rows)
    let baseline = try #require(Adding(length: 10).baselines.first)
    #expect(baseline.value == 1.0 / 6)
    // The square of a triangular variable: variance 7/180, standard deviation of the mean 0.0014.
    #expect(abs(loss - baseline.value) < 0.006)
  }

  @Test func aLengthWithoutRoomForTwoMarksIsRefused() {
    var options = AddingOptions()
    options.length = 1
    #expect(options.validate().map(\.option) == ["length"])
  }
}
