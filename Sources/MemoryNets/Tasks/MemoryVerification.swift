import Foundation

/// The options of `memory_verification`.
package struct MemoryVerificationOptions: Options {
  /// Tokens to choose from.
  package var vocabulary = 4096
  /// Tokens that are studied, and queries.
  package var length = 128
  /// Where the training sequences come from.
  package var data = TrainingData.online
  /// Sequences of the fixed training set; with `data: online` only of its evaluation.
  package var trainSize = 10_000
  /// Sequences of the validation set.
  package var validationSize = 1024
  /// Sequences of the test set.
  package var testSize = 1024

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems = sizes.problems
    if !(1...1_000_000 ~= length) {
      problems.append(OptionProblem("length", "is \(length); 1 to 1000000 tokens are possible"))
    }
    if !(2...10_000_000 ~= vocabulary) || vocabulary < 2 * length {
      problems.append(
        OptionProblem(
          "vocabulary",
          "is \(vocabulary); at least 2 x length tokens are needed, half to study "
            + "and half to be told from them"))
    }
    return problems
  }

  package var sizes: GeneratedSizes {
    GeneratedSizes(data: data, train: trainSize, validation: validationSize, test: testSize)
  }
}

/// Was this token on the list? L distinct tokens to study, then L queries.
///
/// The queries are the studied tokens in random order, each replaced with probability 1/2 by a token
/// that was not studied, no two alike. The answer at every query is class 1 for studied and 0 for
/// new; the difference of the two outputs is the one logit of the source. Morita, "Emergence of the
/// Primacy Effect in Structured State-Space Models", ACML 2025, arXiv:2502.13729.
package final class MemoryVerification: SequenceGenerator {
  package let shape: TaskShape
  package let baselines = [
    TrivialBaseline(name: "coin", metric: "loss", value: log(2)),
    TrivialBaseline(name: "coin", metric: "accuracy", value: 0.5),
  ]
  package let length: Int
  private let tokens: DistinctDraws
  private let order: DistinctDraws

  package init(vocabulary: Int, length: Int) {
    precondition(length >= 1 && vocabulary >= 2 * length, "\(length) of \(vocabulary) tokens")
    self.length = length
    shape = TaskShape(
      input: .tokens(vocabulary: vocabulary), outputSize: 2, loss: .softmaxCrossEntropy,
      outputSteps: .every, maximumSteps: 2 * length)
    tokens = DistinctDraws(below: vocabulary, capacity: 2 * length)
    order = DistinctDraws(below: length, capacity: length)
  }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int) {
    // The first L are studied, the others are new.
    tokens.draw(2 * length, &draws)
    order.draw(length, &draws)
    for position in 0..<length {
      let isStudied = draws.integer(below: 2) == 1
      let query = tokens[isStudied ? Int(order[position]) : length + position]
      set(batch, row, studied: tokens[position], query: query, isStudied, at: position)
    }
  }

  /// Writes what stands at `position` of the list and what is asked at that position.
  package func set(
    _ batch: Batch, _ row: Int, studied: Int32, query: Int32, _ isStudied: Bool, at position: Int
  ) {
    let study = position * batch.rows + row
    let test = study + length * batch.rows
    batch.tokens[study] = studied
    batch.classes[study] = 0
    batch.weights[study] = 0
    batch.tokens[test] = query
    batch.classes[test] = isStudied ? 1 : 0
    batch.weights[test] = 1
  }
}
