/// Times to an event that some of the observed did not live to see: steps or seconds to a target.
package struct SurvivalTimes: Hashable, Sendable {
  /// One trial: when it reached the target, or for how long it was watched without reaching it.
  private struct Observation: Hashable {
    let time: Double
    let isReached: Bool
  }

  private var observations: [Observation] = []

  package init() {}

  package mutating func reached(at time: Double) {
    observations.append(Observation(time: time, isReached: true))
  }

  /// The trial ended after `time` without reaching the target; infinity: it would never have.
  package mutating func censored(at time: Double) {
    observations.append(Observation(time: time, isReached: false))
  }

  package var count: Int { observations.count }
  package var reachedCount: Int { observations.lazy.filter(\.isReached).count }

  /// The smallest time by which half are estimated to have reached the target; nil if that never
  /// happens, as when more than half are censored early or never reach it.
  ///
  ///     S(t) = product over t_i <= t of (1 - d_i / n_i),   median = min { t : S(t) <= 1/2 }
  ///
  /// d_i trials reach the target at t_i, n_i had neither reached it nor been censored before t_i. A
  /// trial censored at the very time of an event counts as watched at that time. Of an even number
  /// of uncensored times it is the lower middle one. Kaplan and Meier, "Nonparametric Estimation
  /// from Incomplete Observations", Journal of the American Statistical Association 53, 1958.
  package var median: Double? {
    let times = Set(observations.lazy.filter(\.isReached).map(\.time)).sorted()
    var survival = 1.0
    for time in times {
      let watched = observations.lazy.filter { $0.time >= time }.count
      let events = observations.lazy.filter { $0.time == time && $0.isReached }.count
      survival *= 1 - Double(events) / Double(watched)
      // The product of k factors is off by at most about k units in the last place.
      if survival <= 0.5 + 1e-12 { return time }
    }
    return nil
  }
}
