/// What a state tells of the inputs before it, lag by lag.
///
/// The k-th last input is decoded by ridge regression from the state at the end of a sequence: its
/// embedding at unit length, or the token's own unit vector without one (64 random directions for
/// more than 256 tokens), or the input vector itself where inputs are no tokens. What stands here is
/// this program's own measure, made after the abstract of Zhang et al. 2020, arXiv:2002.07422, whose
/// indicators it is not.
package struct MemoryRetention: Hashable, Codable, Sendable {
  /// By lag, 0 first: the determination on sequences that the read-out was not fitted on; nil where all
  /// inputs are alike.
  package let byLag: [Double?]

  /// The largest lag to which, from 0 on, at least `threshold` is kept, plus 1; inputs that are all alike
  /// are passed over.
  package func length(threshold: Double = 0.5) -> Int {
    let kept = byLag.prefix { $0 ?? 1 >= threshold }
    return (kept.lastIndex { $0 != nil } ?? -1) + 1
  }

  /// The sum over lags: an embedding-valued memory capacity.
  package var area: Double { byLag.reduce(0) { $0 + ($1 ?? 0) } }
}

/// The targets of retention: a vector for every input.
private struct InputVectors {
  let size: Int
  /// Numbers of an input as it is kept: 1 for a token.
  let inputSize: Int
  /// (tokens, size); empty where inputs are vectors.
  private let table: [Double]

  init(_ shape: TaskShape, _ parameters: ParameterStore) {
    switch shape.input {
    case .features(let size):
      self.size = size
      inputSize = size
      table = []
    case .tokens(let vocabulary):
      inputSize = 1
      if let view = parameters.view(named: "embedding") {
        size = view.shape[1]
        table = Self.unit(parameters.doubles(view), size)
      } else if vocabulary <= 256 {
        size = vocabulary
        table = (0..<vocabulary * vocabulary).map { $0 / vocabulary == $0 % vocabulary ? 1 : 0 }
      } else {
        size = 64
        var draws = PhiloxStream(key: PhiloxKey(0).derived("directions of tokens"), stream: 0)
        table = Self.unit((0..<vocabulary * 64).map { _ in draws.normal() }, 64)
      }
    }
  }

  private static func unit(_ rows: [Double], _ size: Int) -> [Double] {
    var rows = rows
    for first in stride(from: 0, to: rows.count, by: size) {
      let square = rows[first..<first + size].reduce(0) { $0 + $1 * $1 }
      let scale = square > 0 ? 1 / square.squareRoot() : 0
      for i in first..<first + size { rows[i] *= scale }
    }
    return rows
  }

  /// Appends the input of `row` at `step` as it is kept.
  func append(_ batch: Batch, row: Int, step: Int, to inputs: inout [Float]) {
    let place = step * batch.rows + row
    if table.isEmpty {
      for i in 0..<size { inputs.append(batch.features[place * size + i]) }
    } else {
      inputs.append(Float(batch.tokens[place]))
    }
  }

  /// The vector of an input.
  func vector(_ input: ArraySlice<Float>) -> [Double] {
    guard !table.isEmpty, let token = input.first.map({ Int($0) }) else {
      return input.map { Double($0) }
    }
    return Array(table[token * size..<(token + 1) * size])
  }
}

extension MemoryRetention {
  /// How sequences follow each other.
  enum Start {
    /// Each from the empty state, as in training.
    case empty
    /// Each from the state in which the one before ended, so that lags reach beyond a sequence.
    case carried
  }

  /// Over the test sequences of `task`, at most `samples` of them; nil where they are too few or
  /// shorter than two steps.
  ///
  /// The end of a sequence is its last answer that counts. Only lags are looked at that every
  /// sequence has, at most `lags`.
  init?(_ reader: StateReader, _ task: any SequenceTask, start: Start, lags: Int, samples: Int) {
    let vectors = InputVectors(reader.shape, reader.parameters)
    let width = vectors.inputSize
    let batch = Batch(shape: task.shape, maximumRows: StateReader.rows)
    let count = task.evaluationBatchCount(.test, batchSize: StateReader.rows)
    var states: [Double] = []
    // By sample: the inputs to its end, the newest last.
    var histories: [[Float]] = []
    // By row: all inputs so far, as far back as is looked.
    var past = [[Float]](repeating: [], count: StateReader.rows)
    var earlier = 0
    for index in 0..<count where histories.count < samples {
      task.fillEvaluation(batch, split: .test, index: index, batchSize: StateReader.rows)
      guard start == .empty || batch.rows == StateReader.rows else { break }
      if start == .empty && !batch.continuesState { earlier = 0 }
      reader.run(batch, after: earlier)
      for row in 0..<batch.rows {
        if earlier == 0 { past[row] = [] }
        let known = past[row].count / width
        for step in 0..<batch.steps { vectors.append(batch, row: row, step: step, to: &past[row]) }
        if let last = batch.lastAnswer(row: row) {
          let end = known + last + 1
          if end >= (start == .carried ? lags : 2) {
            reader.appendState(row: row, step: last, to: &states)
            histories.append(Array(past[row][max(0, end - lags) * width..<end * width]))
          }
        }
        past[row].removeFirst(max(0, past[row].count / width - lags) * width)
      }
      earlier += batch.steps
    }
    guard histories.count >= 32, reader.size > 0 else { return nil }
    let split = DecoderSplit(heldOutOf: histories.count)
    let decoder = RidgeDecoder(states: states, size: reader.size, fit: split.fit)
    let reach = min(lags, histories.reduce(Int.max) { min($0, $1.count / width) })
    byLag = (0..<reach).map { lag in
      let targets = histories.flatMap { history in
        let first = history.count - (lag + 1) * width
        return vectors.vector(history[first..<first + width])
      }
      return decoder.decode(targets, count: vectors.size, lag: lag, split: split).determination
    }
  }
}

extension Batch {
  /// The last step of `row` at which an answer counts; where the model answers once, the last step.
  func lastAnswer(row: Int) -> Int? {
    if answers == 1 && shape.outputSteps == .last { return steps - 1 }
    return (0..<steps).last { weights[$0 * rows + row] > 0 }
  }
}
