import MemoryNets
import Sweeps

/// Why a command ends: what to say and with which status.
struct Failure: Error {
  let message: String
  let status: ExitStatus

  init(_ message: String, _ status: ExitStatus) {
    self.message = message
    self.status = status
  }

  /// Any error with the status that its kind has.
  init(describing error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case is SpecErrors, is CellReferenceError, is OptionProblem, is OptionProblems,
      is AssemblyError, is TaskError, is ProbeError:
      self.init("\(error)", .badInput)
    case is StoreError, is DirectoryError, is CheckpointError:
      self.init("\(error)", .directoryUnusable)
    default: self.init("\(error)", .internalError)
    }
  }
}
