import Foundation

/// The learning rate as a function of the update's number and of the plateaus met.
package struct Schedule: Sendable {
  private let options: TrainOptions

  package init(_ options: TrainOptions) {
    self.options = options
  }

  /// The learning rate of update number `update`, from 0.
  ///
  /// With w the warm-up, f the factor, m the minimum, r the full rate and s the start of the steps:
  ///
  ///     constant  r
  ///     step      max(m, r f^(1 + floor((update - s) / every))), before s max(m, r)
  ///     plateau   max(m, r f^reductions)
  ///     cosine    m + (r - m) (1 + cos(pi (update - w) / (steps - w))) / 2
  ///
  /// and during the first w updates (update + 1) / w times the constant, step or plateau rate, or
  /// times r for cosine. Cosine: equation 5 of Loshchilov and Hutter, "SGDR", 2017, arXiv:1608.03983,
  /// with a single period.
  package func rate(update: Int, plateau: Plateau = Plateau()) -> Double {
    let full = options.learningRate
    let floor = options.scheduleMinimum
    let isWarming = update < options.warmup
    let rise = isWarming ? Double(update + 1) / Double(options.warmup) : 1
    switch options.schedule {
    case .constant: return rise * full
    case .step:
      let start = options.scheduleStart > 0 ? options.scheduleStart : options.scheduleEvery
      let steps = update < start ? 0 : 1 + (update - start) / options.scheduleEvery
      return rise * max(floor, full * power(options.scheduleFactor, steps))
    case .plateau:
      return rise * max(floor, full * power(options.scheduleFactor, plateau.reductions))
    case .cosine:
      if isWarming { return rise * full }
      let progress =
        Double(update - options.warmup) / Double(max(1, options.steps - options.warmup))
      return floor + (full - floor) * (1 + cos(Double.pi * min(1, progress))) / 2
    }
  }

  /// Notes an evaluation: counts a reduction each time `schedule_patience` evaluations in a row
  /// brought nothing better.
  package func observe(isBetter: Bool, plateau: inout Plateau) {
    guard options.schedule == .plateau else { return }
    plateau.evaluationsSinceBest = isBetter ? 0 : plateau.evaluationsSinceBest + 1
    if plateau.evaluationsSinceBest >= options.schedulePatience {
      plateau.reductions += 1
      plateau.evaluationsSinceBest = 0
    }
  }
}

/// What the plateau schedule remembers.
package struct Plateau: Codable, Hashable, Sendable {
  package var reductions = 0
  package var evaluationsSinceBest = 0

  package init() {}
}
