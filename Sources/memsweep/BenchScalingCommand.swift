import ArgumentParser
import Foundation
import Sweeps

/// Computes what teams and their packing come to on more ranks than there are here.
struct BenchScaling: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "Computes sums of gradients and the packing of teams on 64 to 4,096 ranks.",
    discussion: """
      The sums are computed from the bandwidths and latencies given; the packing is that of the real \
      coordinator, in simulated time. See docs/scaling.md.
      """)

  @Option(help: "Ranks of a node.") var nodeRanks = 32
  @Option(help: "GB/s of a node's memory.") var memoryBandwidth = 100.0
  @Option(help: "GB/s that a node sends.") var networkBandwidth = 12.5
  @Option(help: "Microseconds of a message between nodes.") var latency = 2.0
  @Option(help: "Millions of floats in a gradient.") var megafloats = 4.65
  @Option(help: "Milliseconds that a rank takes for its share of an update.") var compute = 100.0
  @Option(help: "Trials for each rank that are packed.") var trialsPerRank = 4
  @Flag(help: "Prints one JSON object instead of text.") var json = false

  func validate() throws {
    guard nodeRanks >= 1, nodeRanks.nonzeroBitCount == 1 else {
      throw ValidationError("--node-ranks is \(nodeRanks); a power of two is needed")
    }
    for (name, value) in [
      ("memory-bandwidth", memoryBandwidth), ("network-bandwidth", networkBandwidth),
      ("latency", latency), ("megafloats", megafloats), ("compute", compute),
    ] where !(value > 0) {
      throw ValidationError("--\(name) is \(value); a number above 0 is needed")
    }
    guard (1...100).contains(trialsPerRank) else {
      throw ValidationError("--trials-per-rank is \(trialsPerRank); 1 to 100 is possible")
    }
  }

  func run() throws {
    var model = ReductionModel()
    model.nodeRanks = nodeRanks
    model.memoryBandwidth = memoryBandwidth * 1e9
    model.networkBandwidth = networkBandwidth * 1e9
    model.latency = latency * 1e-6
    let lines = [64, 128, 256, 512, 1024, 2048, 4096].map { ranks in
      let seconds = model.seconds(bytes: 4e6 * megafloats, ranks: ranks)
      var packing = PackingSimulation(workers: ranks, trials: trialsPerRank * ranks)
      let packed = packing.run()
      return Line(
        ranks: ranks, sumMilliseconds: (seconds * 1e3).rounded(places: 2),
        efficiencyPercent: (100 * compute * 1e-3 / (compute * 1e-3 + seconds)).rounded(places: 1),
        utilizationPercent: (100 * packed.utilization).rounded(places: 1),
        overtakings: packed.overtakings, trials: packed.trials,
        leasesPerSecond: packed.leasesPerSecond.rounded())
    }
    if json { return try printJSON(["scaling": lines]) }
    let titles = [
      "ranks", "sum, ms", "efficiency of one team, %", "ranks in use, %", "overtakings",
      "leases a second",
    ]
    var table = MarkdownTable(titles.map { MarkdownTable.Column(title: $0) })
    for line in lines {
      table.append([
        "\(line.ranks)", "\(line.sumMilliseconds)", "\(line.efficiencyPercent)",
        "\(line.utilizationPercent)", "\(line.overtakings)", "\(Int(line.leasesPerSecond))",
      ])
    }
    Terminal.answer(table.text)
  }

  private struct Line: Encodable {
    let ranks: Int
    /// Of the gradients of one team of all ranks.
    let sumMilliseconds: Double
    let efficiencyPercent: Double
    /// Of a sweep with teams of 1, 2, 4 and 8.
    let utilizationPercent: Double
    let overtakings: Int
    let trials: Int
    let leasesPerSecond: Double
  }
}
