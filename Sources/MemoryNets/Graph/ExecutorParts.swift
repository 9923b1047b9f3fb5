/// The calls of a plan in the order in which they are made, as runs of neighbours that are repeated
/// in the same way.
struct ExecutorParts {
  enum Repetition {
    /// At each step, for each tile.
    case everyStep
    /// At the last step, for each tile.
    case lastStep
    /// For each vector of flat rows.
    case everyVector
    case once
  }

  struct Run {
    var repetition: Repetition
    /// Positions in the list of all calls.
    var calls: Range<Int>
  }

  private(set) var batchStart: [Run] = []
  private(set) var gradientStart: [Run] = []
  private(set) var forward: [Run] = []
  private(set) var loss: [Run] = []
  private(set) var backwardStart: [Run] = []
  private(set) var backward: [Run] = []
  private(set) var finish: [Run] = []
  private(set) var gradientEnd: [Run] = []

  private init() {}

  /// The parts of `plan`, and all of its calls.
  static func of(_ plan: Plan) -> (ExecutorParts, [Plan.Call]) {
    var parts = ExecutorParts()
    var calls: [Plan.Call] = []
    func append(_ more: [Plan.Call], _ ofTiles: Repetition, to runs: inout [Run]) {
      for (i, call) in more.enumerated() {
        let repetition: Repetition =
          switch call.scope {
          case .tile, .tiles: ofTiles
          case .flat: .everyVector
          case .batch: .once
          }
        if i > 0, let last = runs.last, last.repetition == repetition {
          runs[runs.count - 1].calls = last.calls.lowerBound..<calls.count + 1
        } else {
          runs.append(Run(repetition: repetition, calls: calls.count..<calls.count + 1))
        }
        calls.append(call)
      }
    }
    func append(_ segments: [Plan.Segment], to runs: inout [Run]) {
      for segment in segments {
        append(segment.calls, segment.isLastStepOnly ? .lastStep : .everyStep, to: &runs)
      }
    }
    append(plan.batchStart, .once, to: &parts.batchStart)
    append(plan.gradientStart, .once, to: &parts.gradientStart)
    append(plan.forward, to: &parts.forward)
    append([plan.loss], to: &parts.loss)
    append(plan.backwardStart, .lastStep, to: &parts.backwardStart)
    append(plan.backward, to: &parts.backward)
    append(plan.finish, .lastStep, to: &parts.finish)
    append(plan.gradientEnd, .once, to: &parts.gradientEnd)
    return (parts, calls)
  }
}
