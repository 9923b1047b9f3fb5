import MemoryNets

/// What the ranks of a team do next: all the same after the same step, though their clocks differ and
/// what they are told reaches them at different times.
///
/// They ask each other every so many steps, which the lead chooses so that it is about 50 times a second.
struct Agreement {
  private let team: (any TrainingTeam)?
  private var steps = 0
  private var interval = 1
  private var last: Double

  /// Without a team a rank agrees with itself, at every step.
  init(_ team: (any TrainingTeam)?, _ now: Double) {
    self.team = team
    last = now
  }

  /// What holds for all ranks, of which this one is told `own`: the last of the directives in order.
  ///
  /// Between two agreements all proceed; what a rank is told is told again.
  mutating func directive(_ own: Directive, now: Double) throws(TeamError) -> Directive {
    guard let team else { return own }
    if steps == 0 { steps = interval }
    steps -= 1
    guard steps == 0 else { return .proceed }
    let wanted = now - last < 0.01 ? 2 * interval : now - last > 0.04 ? interval / 2 : interval
    last = now
    let all = try team.gather([Double(own.rawValue), Double(wanted)])
    interval = min(max(1, Int(all[0].last ?? 1)), 1024)
    return Directive(rawValue: Int(all.map { $0[0] }.max() ?? 0)) ?? own
  }
}
