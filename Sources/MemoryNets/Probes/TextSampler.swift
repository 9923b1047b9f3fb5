import Foundation

/// Writes text as a trained language model would go on.
package final class TextSampler {
  private let reader: StateReader
  private let step: Batch
  private let draws: PhiloxKey

  /// Of a model whose weights `reader` has; another `seed` gives another text.
  package init(_ reader: StateReader, seed: UInt64) {
    precondition(reader.outputSize > 0, "a model without outputs")
    self.reader = reader
    step = Batch(shape: reader.shape, maximumRows: 1)
    draws = PhiloxKey(seed).derived("text")
  }

  /// `length` tokens after those of `prompt`, each drawn with the probability that the model gives it.
  ///
  /// Probabilities are raised to the power 1 / temperature: below 1 the text keeps to what is likely, at 0
  /// it is the most likely token at each step. `<unk>` is never drawn. The prompt is read after an `<eos>`.
  package func sample(length: Int, temperature: Double, prompt: [Int32] = []) -> [Int32] {
    var random = PhiloxStream(key: draws, stream: 0)
    var position = 0
    func read(_ token: Int32) {
      step.resize(rows: 1, steps: 1)
      step.tokens[0] = token
      reader.run(step, after: position)
      position += 1
    }
    read(Vocabulary.endOfLineToken)
    for token in prompt { read(token) }
    var text: [Int32] = []
    for _ in 0..<length {
      let token = draw(temperature, &random)
      text.append(token)
      read(token)
    }
    return text
  }

  private func draw(_ temperature: Double, _ random: inout PhiloxStream) -> Int32 {
    var logits = (0..<reader.outputSize).map { reader.output(row: 0, step: 0, feature: $0) }
    logits[Int(Vocabulary.unknownToken)] = -.infinity
    let largest = logits.max() ?? 0
    guard temperature > 0 else { return Int32(logits.firstIndex(of: largest) ?? 0) }
    let parts = logits.map { exp(($0 - largest) / temperature) }
    var rest = random.uniform() * parts.reduce(0, +)
    for (token, part) in parts.enumerated() {
      rest -= part
      if rest < 0 { return Int32(token) }
    }
    return Int32(logits.firstIndex(of: largest) ?? 0)
  }
}
