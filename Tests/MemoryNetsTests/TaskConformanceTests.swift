import MemoryNets
import Testing

/// What every registered task keeps to.
@Suite struct TaskConformanceTests {
  private let key = PhiloxKey(2018)

  @Test func everyRegisteredKindIsSampled() {
    #expect(Set(TaskSample.all.map(\.kind)) == Set(TaskRegistry.all.map(\.name)))
    #expect(Set(TaskRegistry.all.map(\.name)).count == TaskRegistry.all.count)
  }

  @Test(arguments: TaskRegistry.all.map(\.name))
  func aKindHasASentenceAndValidDefaults(name: String) throws {
    let kind = try #require(TaskRegistry.kind(named: name))
    #expect(kind.summary.hasSuffix(".") && !kind.summary.dropLast().contains("."))
    #expect(kind.defaults.validate().isEmpty)
  }

  @Test func anUnknownKindIsNone() {
    #expect(TaskRegistry.kind(named: "assoc") == nil)
  }

  @Test(arguments: TaskSample.all)
  func aBatchIsAFunctionOfKeyAndUpdate(sample: TaskSample) throws {
    let inOrder = BatchReader(try sample.make(key), batchSize: 7)
    let batches = (0..<40).map(inOrder.training)
    let direct = BatchReader(try sample.make(key), batchSize: 7)
    for update in [33, 2, 39, 0, 17, 16] {
      #expect(direct.training(update) == batches[update], "update \(update)")
    }
    let fresh = BatchReader(try sample.make(key), batchSize: 7)
    #expect(fresh.training(38) == batches[38])
  }

  @Test(arguments: TaskSample.all)
  func anotherKeyGivesOtherBatches(sample: TaskSample) throws {
    let one = BatchReader(try sample.make(key), batchSize: 7)
    let other = BatchReader(try sample.make(PhiloxKey(2019)), batchSize: 7)
    let same = (0..<12).filter { one.training($0) == other.training($0) }
    // There is one string of a^n b^n c^n for each length.
    #expect(sample.variant == "count_3" ? same.count < 12 : same.isEmpty)
  }

  @Test(arguments: TaskSample.all)
  func evaluationDoesNotDisturbTraining(sample: TaskSample) throws {
    let alone = BatchReader(try sample.make(key), batchSize: 7)
    let disturbed = BatchReader(try sample.make(key), batchSize: 7)
    for update in 0..<12 {
      _ = disturbed.evaluation(.validation)
      #expect(disturbed.training(update) == alone.training(update))
    }
  }

  @Test(arguments: TaskSample.all)
  func everyElementIsWrittenAndInRange(sample: TaskSample) throws {
    for batchSize in [1, 7, 16] {
      let reader = BatchReader(try sample.make(key), batchSize: batchSize)
      for update in 0..<30 { check(reader.training(update), reader.task.shape) }
      for split in DataSplit.allCases {
        for batch in reader.evaluation(split) { check(batch, reader.task.shape) }
      }
    }
  }

  @Test(arguments: TaskSample.all)
  func trainingBatchesAreFullOrAllThereIs(sample: TaskSample) throws {
    for (batchSize, rows) in [(1, 1), (7, 7), (40, 40)] {
      let reader = BatchReader(try sample.make(key), batchSize: batchSize)
      for update in 0..<30 {
        let batch = reader.training(update)
        #expect(sample.isOneLength ? 1...rows ~= batch.rows : batch.rows == rows)
      }
    }
    guard !sample.isOneLength else { return }
    // A set of 40 is one batch of all; online data always fills a batch.
    let reader = BatchReader(try sample.make(key), batchSize: 64)
    for update in 0..<5 { #expect(reader.training(update).rows == (sample.isFixed ? 40 : 64)) }
  }

  @Test(arguments: TaskSample.all)
  func evaluationCoversASplitOnce(sample: TaskSample) throws {
    for (split, size) in zip(DataSplit.allCases, sample.sizes) {
      let task = try sample.make(key)
      let single = ordered(BatchReader(task, batchSize: 1).evaluation(split))
      #expect(single.count == size)
      for batchSize in [7, 16, 64] {
        let batches = BatchReader(task, batchSize: batchSize).evaluation(split)
        #expect(ordered(batches) == single, "batches of \(batchSize)")
        #expect(
          sample.isOneLength || batches.last?.rows == (size - 1) % batchSize + 1)
        #expect(batches.first?.continuesState == false)
      }
    }
  }

  @Test(arguments: TaskSample.all)
  func anEpochOfAFixedSetShowsEachSequenceAtMostOnce(sample: TaskSample) throws {
    // Online data is drawn afresh; of the others 5 batches of 7 leave 5 of 40 sequences out.
    guard sample.isFixed, !sample.isOneLength, !sample.isText else { return }
    let task = try sample.make(key)
    var left = ordered(BatchReader(task, batchSize: 64).evaluation(.train))
    let reader = BatchReader(task, batchSize: 7)
    var batches: [BatchContents] = []
    var update = 0
    while true {
      let batch = reader.training(update)
      if !batch.continuesState, batches.count(where: { !$0.continuesState }) == 5 { break }
      batches.append(batch)
      update += 1
    }
    let shown = BatchReader.sequences(in: batches)
    #expect(shown.count == 35)
    for sequence in shown {
      let index = left.firstIndex(of: sequence)
      #expect(index != nil)
      if let index { left.remove(at: index) }
    }
    #expect(left.count == 5)
    let next = BatchReader.sequences(in: (update..<update + 5).map(reader.training))
    #expect(next != shown)
  }

  @Test(arguments: TaskSample.all)
  func theOrderCanHaveItsOwnKey(sample: TaskSample) throws {
    let tasks = try (0..<3).map { _ in try sample.make(key) }
    tasks[1].orderTraining(by: PhiloxKey(5))
    tasks[2].orderTraining(by: PhiloxKey(5))
    let readers = tasks.map { BatchReader($0, batchSize: 7) }
    let batches = readers.map { reader in (0..<10).map(reader.training) }
    #expect((batches[0] != batches[1]) == sample.isFixed)
    #expect(batches[1] == batches[2])
    #expect(readers[0].evaluation(.train) == readers[1].evaluation(.train))
  }

  @Test(arguments: TaskSample.all)
  func baselinesAreFinite(sample: TaskSample) throws {
    let baselines = try sample.make(key).baselines
    #expect(!baselines.isEmpty)
    for baseline in baselines {
      #expect(baseline.value.isFinite && baseline.value >= 0)
      if baseline.metric.hasSuffix("accuracy") { #expect(baseline.value <= 1) }
    }
  }

  private func ordered(_ batches: [BatchContents]) -> [[Float]] {
    BatchReader.sequences(in: batches).sorted { $0.lexicographicallyPrecedes($1) }
  }

  private func check(_ batch: BatchContents, _ shape: TaskShape) {
    if case .tokens(let vocabulary) = shape.input {
      #expect(batch.tokens.allSatisfy { 0..<vocabulary ~= Int($0) })
    }
    #expect(batch.features.allSatisfy { $0.isFinite })
    #expect(batch.classes.allSatisfy { 0..<shape.outputSize ~= Int($0) })
    #expect(batch.targets.allSatisfy { $0.isFinite })
    if shape.loss == .sigmoidCrossEntropy {
      #expect(batch.targets.allSatisfy { $0 == 0 || $0 == 1 })
    }
    #expect(batch.weights.allSatisfy { $0 == 0 || $0 == 1 })
    #expect(batch.weights.contains(1))
    #expect(batch.steps <= shape.maximumSteps)
    // Padding is zero: of features, what stands behind a row's last counted answer.
    guard batch.answers == batch.steps, batch.tokens.isEmpty else { return }
    for row in 0..<batch.rows {
      let records = batch.records(row: row)
      let used = records.lastIndex { $0.last == 1 }.map { $0 + 1 } ?? 0
      #expect(records[used...].allSatisfy { $0.allSatisfy { $0 == 0 } })
    }
  }
}
