import Foundation
import MPI
import Sweeps

/// The program that the tests start under mpirun: it does one named thing on all ranks, rank 0
/// prints what came of it, and the exit status is that of the run.
@main enum MPICheck {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    StopRequest.handleSignals()
    guard MPISession.isLaunched() else {
      let end = try run(arguments, over: nil)
      exit(end.status)
    }
    let status = try MPISession.run { world in
      switch arguments.first {
      case "collectives": return try CommunicatorChecks.collectives(world)
      case "messages": return try CommunicatorChecks.messages(world)
      case "subgroup": return try CommunicatorChecks.subgroup(world)
      default: return try run(arguments, over: MPITransport(world))
      }
    }
    exit(status)
  }

  private static func run(_ arguments: [String], over transport: MPITransport?) throws -> SessionEnd
  {
    switch arguments.first {
    case "sweep": return try SweepCheck(arguments.dropFirst()).run(over: transport)
    case "dispatch":
      return try SweepCheck.dispatch(Int(arguments.last ?? "") ?? 1000, over: transport)
    default:
      print("no such check: \(arguments)")
      return SessionEnd(status: 64)
    }
  }
}
