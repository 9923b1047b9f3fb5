import CKernels

/// How a batch is cut into shards, and which of them are a rank's.
///
/// A shard is a fixed part of the sequences of a batch: of 20 sequences in 4 shards the first five,
/// the next five and so on. Gradients are summed over the rows of each, then over the shards as a
/// binary tree of neighbours. So neither sum depends on how many ranks the shards are spread over.
package struct Sharding {
  /// Of a batch: a power of two, at most 64.
  package let shards: Int
  /// The ranks that share them; nil for one rank alone.
  package let team: (any TrainingTeam)?
  /// Whether the plan sums shard by shard by itself, so that all sequences of a rank run together;
  /// else each shard runs alone.
  var runsTogether = false

  /// That share the shards.
  let ranks: Int

  /// The shards and ranks must have passed `problem`.
  package init(shards: Int, team: (any TrainingTeam)? = nil) {
    self.init(shards: shards, ranks: team?.size ?? 1, team)
  }

  /// What a team of `ranks` ranks would have.
  init(shards: Int, ranks: Int, _ team: (any TrainingTeam)? = nil) {
    precondition(
      Self.problem(shards: shards, ranks: ranks) == nil, "\(shards) shards on \(ranks) ranks")
    self.shards = shards
    self.ranks = ranks
    self.team = team
  }

  /// Of one rank.
  var localShards: Int { shards / ranks }

  /// Sums of gradients that wait for their neighbours in the tree, at most.
  var waitingSums: Int { runsTogether ? 0 : localShards.trailingZeroBitCount }

  /// Why a batch cannot be cut so; nil where it can.
  package static func problem(shards: Int, ranks: Int) -> String? {
    guard shards > 0, shards.nonzeroBitCount == 1, shards <= Int(MS_SHARDS) else {
      return "is \(shards); a power of two from 1 to \(MS_SHARDS)"
    }
    guard ranks > 0, ranks.nonzeroBitCount == 1, ranks <= shards else {
      return "is \(shards), which \(ranks) ranks cannot share: a power of two, at most one a shard"
    }
    return nil
  }
}
