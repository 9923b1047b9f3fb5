import Foundation
import Sweeps

/// How this process was started, and how it ends.
enum Launch {
  /// Whether this is rank 0, or the only process: the one that speaks.
  static let isFirst: Bool = {
    let environment = ProcessInfo.processInfo.environment
    let rank = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"].lazy.compactMap {
      environment[$0]
    }.first
    return rank.map { $0 == "0" } ?? true
  }()

  /// Ends the process, after leaving the status where a launcher cannot lose it: in the file that
  /// `MEMSWEEP_EXIT_STATUS` names.
  static func exit(_ status: ExitStatus) -> Never {
    leave(status)
    // mpirun kills all ranks when the first one fails: let it be the one that says why.
    if !isFirst, status != .complete { sleep(1) }
    Foundation.exit(status.rawValue)
  }

  /// Leaves the status for the supervisor; before MPI is finalized, which may hang after a death.
  static func leave(_ status: ExitStatus) {
    guard isFirst, let path = ProcessInfo.processInfo.environment["MEMSWEEP_EXIT_STATUS"] else {
      return
    }
    try? DurableFile.write("\(status.rawValue)\n", to: path)
  }
}
