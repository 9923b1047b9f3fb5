import Foundation

/// Which value of the series is wanted.
package enum SeriesDirection: String, Codable, CaseIterable, Sendable {
  /// The one that is still to come.
  case forecast
  /// One that was seen, as the program of the published study trained at first.
  case recall
}

/// The options of `mackey_glass`.
package struct MackeyGlassOptions: Options {
  /// Steps of a sequence.
  package var length = 5000
  /// The series is shown from this step on.
  package var washout = 100
  /// How many steps ahead, or back, the wanted value is.
  package var offset = 15
  /// Ahead or back.
  package var direction = SeriesDirection.forecast
  /// The delay of the equation.
  package var delay = 17
  /// Euler steps between two values.
  package var substeps = 10
  /// Where the training sequences come from.
  package var data = TrainingData.fixed
  /// Sequences of the fixed training set; with `data: online` only of its evaluation.
  package var trainSize = 64
  /// Sequences of the validation set.
  package var validationSize = 32
  /// Sequences of the test set.
  package var testSize = 32

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems = sizes.problems
    for (name, value, least) in [
      ("length", length, 1), ("washout", washout, 0), ("offset", offset, 1), ("delay", delay, 1),
      ("substeps", substeps, 1),
    ] where !(least...1_000_000 ~= value) {
      problems.append(OptionProblem(name, "is \(value); \(least) to 1000000 is possible"))
    }
    return problems
  }

  package var sizes: GeneratedSizes {
    GeneratedSizes(data: data, train: trainSize, validation: validationSize, test: testSize)
  }
}

/// Forecast a chaotic series.
///
///     dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x                            (1)
///
/// by Euler's method in Double, from x = 1.2 with a past of 1.2 + 0.2 u, u uniform in [-0.5, 0.5) for
/// every substep; shown is tanh(x - 1), from which its mean over the sequence is taken away. As in the
/// study of Voelker, Kajić and Eliasmith, "Legendre Memory Units", NeurIPS 2019: there 128 series of
/// 5000 values and an offset of 15.
package final class MackeyGlass: SequenceGenerator {
  package let shape: TaskShape
  package private(set) var baselines: [TrivialBaseline] = []
  private let options: MackeyGlassOptions
  /// A ring of the past, one value a substep.
  private let past: UnsafeMutablePointer<Double>
  private let series: UnsafeMutablePointer<Double>
  private let count: Int

  package init(options: MackeyGlassOptions) {
    precondition(options.validate().isEmpty, "options out of range")
    self.options = options
    shape = TaskShape(
      input: .features(size: 1), outputSize: 1, loss: .squaredError, outputSteps: .every,
      maximumSteps: options.length)
    count = options.length + options.offset
    past = .allocate(capacity: options.delay * options.substeps)
    past.initialize(repeating: 0, count: options.delay * options.substeps)
    series = .allocate(capacity: count)
    series.initialize(repeating: 0, count: count)
    baselines = measuredBaselines()
  }

  deinit {
    past.deallocate()
    series.deallocate()
  }

  package func write(_ draws: inout PhiloxStream, to batch: Batch, row: Int) {
    integrate(&draws)
    let ahead = options.direction == .forecast
    for step in 0..<options.length {
      let place = step * batch.rows + row
      batch.features[place] = Float(series[ahead ? step : step + options.offset])
      batch.targets[place] = Float(series[ahead ? step + options.offset : step])
      batch.weights[place] = 1
    }
  }

  /// Fills in `series`.
  private func integrate(_ draws: inout PhiloxStream) {
    let capacity = options.delay * options.substeps
    for i in 0..<capacity { past[i] = 1.2 + 0.2 * (draws.uniform() - 0.5) }
    let step = 1 / Double(options.substeps)
    var (x, oldest, sum) = (1.2, 0, 0.0)
    for i in -options.washout..<count {
      for _ in 0..<options.substeps {
        let delayed = past[oldest]
        past[oldest] = x
        oldest = oldest + 1 == capacity ? 0 : oldest + 1
        x += step * (0.2 * delayed / (1 + power(delayed, 10)) - 0.1 * x)  // (1)
      }
      guard i >= 0 else { continue }
      series[i] = tanh(x - 1)
      sum += series[i]
    }
    let mean = sum / Double(count)
    for i in 0..<count { series[i] -= mean }
  }

  /// Over 16 series of a key of their own: the mean square, and that of the change within `offset`.
  private func measuredBaselines() -> [TrivialBaseline] {
    var (square, change) = (0.0, 0.0)
    for stream in 0..<16 {
      var draws = PhiloxStream(
        key: PhiloxKey(0).derived("mackey_glass"), stream: UInt64(stream))
      integrate(&draws)
      for i in 0..<options.length {
        let (now, other) = (series[i], series[i + options.offset])
        square += other * other
        change += (other - now) * (other - now)
      }
    }
    let answers = Double(16 * options.length)
    return [
      TrivialBaseline(name: "always 0", metric: "loss", value: square / answers),
      TrivialBaseline(name: "the value shown", metric: "loss", value: change / answers),
    ]
  }
}
