/// Bytes that a rank shares with its team.
package struct TeamBytes: Hashable, Sendable {
  package var gradients = 0
  /// For work that ranks do together where there is room for it.
  package var work = 0

  package init(gradients: Int = 0, work: Int = 0) {
    self.gradients = gradients
    self.work = work
  }

  /// Enough for either.
  package func union(_ other: TeamBytes) -> TeamBytes {
    TeamBytes(gradients: max(gradients, other.gradients), work: max(work, other.work))
  }
}
