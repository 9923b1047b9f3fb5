import Foundation

/// What predictors reach on a formal language that know little, and what is possible.
///
/// - `repeat the last symbol`: the first symbol is the most frequent first one, each other that
///   before it; never the end.
/// - `most frequent symbol`: one symbol always.
/// - `ideal`: of accuracy, where counting gives it, a predictor that knows the language and finds
///   letters that nothing determines as often as chance has it, and never an end or a mark that it
///   cannot foresee; of perplexity, that of the sampler itself.
///
/// The first two are measured on strings of their own, 20 of every length; all are means over the
/// symbols of strings of all lengths, ends included.
struct FormalLanguageBaselines {
  private let language: FormalLanguage
  private let sets: [(name: String, lengths: [Int])]
  private static let stringsPerLength = 20

  init(_ task: FormalLanguageTask) {
    language = task.baselineLanguage
    sets = task.measuredSets
  }

  var all: [TrivialBaseline] { sets.flatMap { baselines(of: $0.name, lengths: $0.lengths) } }

  private func baselines(of set: String, lengths: [Int]) -> [TrivialBaseline] {
    let key = PhiloxKey(0).derived("baselines").derived(set)
    var string: [Int32] = []
    var answers = 0
    var repeated = 0
    var nats = 0.0
    var ideal: Double? = 0
    var counts = [Int](repeating: 0, count: language.vocabulary)
    var firsts = counts
    for (l, length) in lengths.enumerated() {
      for number in 0..<Self.stringsPerLength {
        var draws = PhiloxStream(key: key, stream: UInt64(l * Self.stringsPerLength + number))
        nats += log(Double(lengths.count))
        nats += language.sample(length: length, &draws, into: &string)
        answers += length + 1
        firsts[Int(string[0])] += 1
        for symbol in string { counts[Int(symbol)] += 1 }
        repeated += zip(string, string.dropFirst()).count { $0 == $1 }
      }
      ideal = language.idealCorrect(length: length).flatMap { correct in
        ideal.map { $0 + correct * Double(Self.stringsPerLength) }
      }
    }
    func part(_ correct: Int) -> Double { Double(correct) / Double(answers) }
    var found = [
      TrivialBaseline(
        name: "repeat the last symbol", metric: "\(set).accuracy",
        value: part(repeated + (firsts.max() ?? 0))),
      TrivialBaseline(
        name: "most frequent symbol", metric: "\(set).accuracy", value: part(counts.max() ?? 0)),
    ]
    if let ideal {
      found.append(
        TrivialBaseline(
          name: TrivialBaseline.ideal, metric: "\(set).accuracy", value: ideal / Double(answers)))
    }
    found.append(
      TrivialBaseline(
        name: TrivialBaseline.ideal, metric: "\(set).perplexity",
        value: exp(nats / Double(answers))))
    return found
  }
}
