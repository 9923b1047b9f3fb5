/// What is measured of a trained model, and how much of it.
package struct ProbeOptions: Sendable {
  /// Delays and lags that are looked at: 0 up to, not including, this.
  package var lags = 100
  /// States that read-outs are fitted and scored on.
  package var samples = 2000
  /// Lists of `memory_verification`, each in as many orders as it is long.
  package var lists = 64
  /// How much of an input must be kept for it to count to the memory length.
  package var threshold = 0.5

  package init() {}
}

/// The measures of memory of a model on its task.
package struct MemoryProbe: Codable, Sendable {
  /// Numbers that are carried from step to step; more than 512 are read as 512 random sums.
  package private(set) var carriedSize: Int
  /// Of a random signal in the first input, where inputs are vectors.
  package private(set) var capacity: LinearMemoryCapacity?
  /// Of sequences from the empty state.
  package private(set) var retention: MemoryRetention?
  /// Of sequences that follow each other without a reset: lags beyond what training could teach.
  package private(set) var carriedRetention: MemoryRetention?
  /// Steps that a gradient goes back: a lag is taught by training below this only.
  package private(set) var trainingLength: Int
  package private(set) var accuracy: AnswerAccuracy?
  package private(set) var study: StudyRecall?
  package private(set) var spectra: [Spectrum] = []
  private let threshold: Double

  /// Measures the model whose weights `reader` holds.
  package init(_ reader: StateReader, task: any SequenceTask, options: ProbeOptions) {
    carriedSize = reader.carriedSize
    trainingLength = task.shape.maximumSteps
    threshold = options.threshold
    if case .features(let size) = task.shape.input {
      capacity = Self.capacity(reader, size, options)
    }
    retention = MemoryRetention(
      reader, task, start: .empty, lags: options.lags, samples: options.samples)
    carriedRetention = MemoryRetention(
      reader, task, start: .carried, lags: min(options.lags, 2 * trainingLength),
      samples: options.samples)
    accuracy = AnswerAccuracy(reader, task, samples: options.samples)
    if let task = task as? GeneratedTask<MemoryVerification>,
      case .tokens(let vocabulary) = task.shape.input
    {
      study = StudyRecall(reader, task.generator, vocabulary: vocabulary, lists: options.lists)
    }
    for matrix in reader.graph.recurrentMatrices {
      guard let view = reader.parameters.view(named: matrix.name) else { continue }
      let numbers = reader.parameters.doubles(view)
      let count = matrix.size * matrix.size
      for block in 0..<matrix.blocks {
        let name = matrix.blocks == 1 ? matrix.name : "\(matrix.name)[\(block)]"
        let part = Array(numbers[block * count..<(block + 1) * count])
        if let spectrum = Spectrum(name: name, matrix: part, size: matrix.size) {
          spectra.append(spectrum)
        }
      }
    }
  }

  /// Drives the model with u uniform in [-1, 1) in its first input, zeros in the others.
  ///
  /// 16 signals in pieces; the states of the first `lags` + 100 steps are not used.
  private static func capacity(
    _ reader: StateReader, _ inputSize: Int, _ options: ProbeOptions
  ) -> LinearMemoryCapacity? {
    guard reader.size > 0 else { return nil }
    let rows = StateReader.rows
    let piece = min(reader.shape.maximumSteps, 64)
    let washout = options.lags + 100
    let length = washout + (options.samples + rows - 1) / rows
    var shape = reader.shape
    shape.maximumSteps = piece
    let batch = Batch(shape: shape, maximumRows: rows)
    var signals = [[Double]](repeating: [], count: rows)
    var states = [[Double]](repeating: [], count: rows)
    var inputs = [[Double]](repeating: [], count: rows)
    var draws = (0..<rows).map {
      PhiloxStream(key: PhiloxKey(0).derived("signals"), stream: UInt64($0))
    }
    for first in stride(from: 0, to: length, by: piece) {
      batch.resize(rows: rows, steps: min(piece, length - first))
      batch.features.update(repeating: 0)
      for row in 0..<rows {
        for step in 0..<batch.steps {
          let u = 2 * draws[row].uniform() - 1
          signals[row].append(u)
          batch.features[(step * rows + row) * inputSize] = Float(u)
        }
      }
      reader.run(batch, after: first)
      for row in 0..<rows {
        for step in 0..<batch.steps where first + step >= washout {
          reader.appendState(row: row, step: step, to: &states[row])
          for lag in 0..<options.lags { inputs[row].append(signals[row][first + step - lag]) }
        }
      }
    }
    let all = states.flatMap { $0 }
    return LinearMemoryCapacity(
      states: all, size: reader.size, inputs: inputs.flatMap { $0 }, delays: options.lags,
      split: DecoderSplit(heldOutOf: all.count / reader.size))
  }

  /// What is put beside the results of the trial, by name.
  package var numbers: [(name: String, value: Double)] {
    var numbers: [(name: String, value: Double)] = []
    func add(_ name: String, _ value: Double?) {
      if let value { numbers.append(("probe." + name, value)) }
    }
    add("memory_capacity", capacity?.total)
    add("retention_length", (retention?.length(threshold: threshold)).map(Double.init))
    add("retention_area", retention?.area)
    add(
      "carried_retention_length",
      (carriedRetention?.length(threshold: threshold)).map(Double.init))
    add("carried_retention_area", carriedRetention?.area)
    add("training_length", Double(trainingLength))
    add("sequence_accuracy", accuracy?.ofWholeSequences)
    if let study {
      let recall = study.byStudyPosition
      func mean(_ part: ArraySlice<Double>) -> Double? {
        part.isEmpty ? nil : part.reduce(0, +) / Double(part.count)
      }
      let quarter = max(1, recall.count / 4)
      add("recall", mean(recall[...]))
      add("recall_first_quarter", mean(recall.prefix(quarter)))
      add("recall_middle", mean(recall.dropFirst(quarter).dropLast(quarter)))
      add("recall_last_quarter", mean(recall.suffix(quarter)))
      add("rejection", mean(study.rejection[...]))
    }
    add("spectral_radius", spectra.map(\.radius).max())
    return numbers
  }

  /// Which bound holds the memory: what training could teach, or what the unit keeps.
  package var bound: String? {
    guard let retention, retention.byLag.count > 0 else { return nil }
    let length = retention.length(threshold: threshold)
    if length >= min(trainingLength, retention.byLag.count) {
      return length >= trainingLength ? "the training length" : "the lags that were looked at"
    }
    return "the unit"
  }
}
