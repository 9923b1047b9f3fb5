/// What is computed from the variables.
package enum BindingRule: String, Codable, CaseIterable, Sendable {
  /// Each output vector is the one s steps before: the variables over and over.
  case copy
  /// Each number of an output is a fixed number of the last s vectors, some with their sign changed.
  case linear
}

/// The options of `variable_binding`.
package struct VariableBindingOptions: Options {
  /// Numbers of a vector.
  package var dimension = 8
  /// Vectors that are shown.
  package var variables = 8
  /// Vectors that are wanted.
  package var horizon = 40
  /// How a vector follows from those before it.
  package var rule = BindingRule.linear
  /// Which of the linear rules it is.
  package var ruleNumber = 0
  /// Where the training sequences come from.
  package var data = TrainingData.online
  /// Sequences of the fixed training set; with `data: online` only of its evaluation.
  package var trainSize = 10_000
  /// Sequences of the validation set.
  package var validationSize = 1000
  /// Sequences of the test set.
  package var testSize = 2000

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems = sizes.problems
    for (name, value) in [("dimension", dimension), ("variables", variables), ("horizon", horizon)]
    where !(1...100_000 ~= value) {
      problems.append(OptionProblem(name, "is \(value); 1 to 100000 are possible"))
    }
    if ruleNumber < 0 {
      problems.append(OptionProblem("rule_number", "is \(ruleNumber); 0 or more is possible"))
    }
    return problems
  }

  package var sizes: GeneratedSizes {
    GeneratedSizes(data: data, train: trainSize, validation: validationSize, test: testSize)
  }
}

/// Hold s vectors of signs and go on by a fixed linear rule of them.
///
///     y(t) = F [y(t - s); ...; y(t - 1)]                                              (1)
///
/// The first s vectors, of d numbers -1 or 1, are the inputs of the first s steps; then the input is
/// 0 and y is wanted, step by step. F copies: output i is number c_i of variable a_i with sign b_i,
/// where the d places are distinct. `copy` is a_i = the oldest, c_i = i, b_i = 1. The linear
/// variable binding of Karuvally, Sejnowski and Siegelmann, "Hidden Traveling Waves Bind Working
/// Memory Variables in Recurrent Neural Networks", 2023, arXiv:2310.02430; rule `number` is drawn
/// under a key of its own, the same for every seed.
package final class VariableBinding: SequenceGenerator {
  package let shape: TaskShape
  package let baselines = [
    TrivialBaseline(name: "always 0", metric: "loss", value: 1),
    TrivialBaseline(name: "coin", metric: "accuracy", value: 0.5),
  ]
  private let options: VariableBindingOptions
  /// By number of the output: its place among the s d numbers before, oldest first, and its sign.
  package let sources: [Int]
  package let signs: [Float]
  /// All vectors of the sequence that is being made.
  private let vectors: UnsafeMutablePointer<Float>

  package init(options: VariableBindingOptions) {
    precondition(options.validate().isEmpty, "options out of range")
    self.options = options
    let (d, s) = (options.dimension, options.variables)
    shape = TaskShape(
      input: .features(size: d), outputSize: d, loss: .squaredErrorOfSigns, outputSteps: .every,
      maximumSteps: s + options.horizon)
    switch options.rule {
    case .copy:
      sources = Array(0..<d)
      signs = [Float](repeating: 1, count: d)
    case .linear:
      var draws = PhiloxStream(
        key: PhiloxKey(0).derived("variable_binding"), stream: UInt64(options.ruleNumber))
      let places = DistinctDraws(below: s * d, capacity: d)
      places.draw(d, &draws)
      sources = (0..<d).map { Int(places[$0]) }
      signs = (0..<d).map { _ in draws.integer(below: 2) == 0 ? 1 : -1 }
    }
    vectors = .allocate(capacity: (s + options.horizon) * d)
    vectors.initialize(repeating: 0, count: (s + options.horizon) * d)
  }

  deinit { vectors.deallocate() }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int) {
    let (d, s) = (options.dimension, options.variables)
    for i in 0..<s * d { vectors[i] = draws.integer(below: 2) == 0 ? -1 : 1 }
    for step in 0..<shape.maximumSteps {
      let isAnswer = step >= s
      if isAnswer {
        let past = vectors + (step - s) * d
        for i in 0..<d { vectors[step * d + i] = signs[i] * past[sources[i]] }  // (1)
      }
      let place = step * batch.rows + row
      let features = batch.features.baseAddress! + place * d
      let targets = batch.targets.baseAddress! + place * d
      for i in 0..<d {
        features[i] = isAnswer ? 0 : vectors[step * d + i]
        targets[i] = isAnswer ? vectors[step * d + i] : 0
      }
      batch.weights[place] = isAnswer ? 1 : 0
    }
  }
}
