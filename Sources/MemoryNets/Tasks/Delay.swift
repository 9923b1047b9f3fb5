import Foundation

/// The options of `delay`.
package struct DelayOptions: Options {
  /// The longest delay, in steps.
  package var delay = 100
  /// The highest frequency, in periods within the longest delay.
  package var frequency = 10.0
  /// Delays that are asked for, evenly from none to the longest.
  package var outputs = 5
  /// Where the training sequences come from.
  package var data = TrainingData.fixed
  /// Sequences of the fixed training set; with `data: online` only of its evaluation.
  package var trainSize = 80
  /// Sequences of the validation set.
  package var validationSize = 20
  /// Sequences of the test set.
  package var testSize = 100

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems = sizes.problems
    if !(1...1_000_000 ~= outputs) {
      problems.append(OptionProblem("outputs", "is \(outputs); 1 to 1000000 are possible"))
    }
    if !(2...1_000_000 ~= delay) {
      problems.append(OptionProblem("delay", "is \(delay); 2 to 1000000 steps are possible"))
    }
    // A signal of 5/2 delays needs at least one whole period, and no period is below two steps.
    return problems
      + OptionProblem.outside("frequency", frequency, 0.4...Double(max(delay, 2)) / 2)
  }

  package var sizes: GeneratedSizes {
    GeneratedSizes(data: data, train: trainSize, validation: validationSize, test: testSize)
  }
}

/// Give back a signal with delays from none to T steps.
///
///     x(t) = sum over j of a_j cos(2 pi j t / L) + b_j sin(2 pi j t / L)              (1)
///
/// with L = 5/2 T steps, a_j and b_j normal and the periods j / L up to `frequency` within T: white
/// noise of limited band, scaled to max |x| = 1. Answers count from step T on, when all that is asked
/// for has been shown; the loss is the mean over the delays. The capacity task of Voelker, Kajić and
/// Eliasmith, "Legendre Memory Units", NeurIPS 2019, which trains on all steps.
package final class Delay: SequenceGenerator {
  package let shape: TaskShape
  package private(set) var baselines: [TrivialBaseline] = []
  package let delays: [Int]
  private let delay: Int
  private let terms: Int
  private let signal: UnsafeMutablePointer<Double>

  package init(options: DelayOptions) {
    precondition(options.validate().isEmpty, "options out of range")
    delay = options.delay
    let last = Double(max(options.outputs - 1, 1))
    delays = (0..<options.outputs).map { Int(Double($0) * Double(options.delay) / last) }
    let length = 5 * options.delay / 2
    terms = Int(options.frequency * Double(length) / Double(options.delay))
    shape = TaskShape(
      input: .features(size: 1), outputSize: options.outputs, loss: .meanSquaredError,
      outputSteps: .every, maximumSteps: length)
    signal = .allocate(capacity: length)
    signal.initialize(repeating: 0, count: length)
    baselines = [TrivialBaseline(name: "always 0", metric: "loss", value: meanSquare())]
  }

  deinit { signal.deallocate() }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int) {
    synthesize(&draws)
    for step in 0..<shape.maximumSteps {
      let place = step * batch.rows + row
      batch.features[place] = Float(signal[step])
      for (i, delay) in delays.enumerated() {
        batch.targets[place * delays.count + i] = step >= delay ? Float(signal[step - delay]) : 0
      }
      batch.weights[place] = step >= delay ? 1 : 0
    }
  }

  /// Fills in `signal`; each term turns by a constant rotation from step to step.
  private func synthesize(_ draws: inout PhiloxStream) {
    let length = shape.maximumSteps
    signal.update(repeating: 0, count: length)
    for j in 1...max(terms, 1) {
      let angle = 2 * Double.pi * Double(j) / Double(length)
      let (cosine, sine) = (cos(angle), sin(angle))
      var (x, y) = (draws.normal(), draws.normal())
      for step in 0..<length {
        signal[step] += x
        (x, y) = (cosine * x + sine * y, cosine * y - sine * x)
      }
    }
    var largest = 0.0
    for step in 0..<length { largest = max(largest, abs(signal[step])) }
    let scale = 1 / max(largest, .leastNormalMagnitude)
    for step in 0..<length { signal[step] *= scale }
  }

  /// Of 64 signals of a key of their own, over the answers that count.
  private func meanSquare() -> Double {
    var sum = 0.0
    for stream in 0..<64 {
      var draws = PhiloxStream(key: PhiloxKey(0).derived("delay"), stream: UInt64(stream))
      synthesize(&draws)
      for step in delay..<shape.maximumSteps {
        for delay in delays { sum += signal[step - delay] * signal[step - delay] }
      }
    }
    return sum / Double(64 * (shape.maximumSteps - delay) * delays.count)
  }
}
