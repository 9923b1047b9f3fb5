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
      case "team-sums": return try TeamChecks.sums(world, arguments)
      case "team-loss": return try TeamChecks.loss(world, arguments)
      default:
        let interconnect = try SweepCheck(arguments.dropFirst()).interconnect(world)
        return try run(arguments, over: MPITransport(world), interconnect)
      }
    }
    exit(status)
  }

  private static func run(
    _ arguments: [String], over transport: MPITransport?, _ interconnect: Interconnect? = nil
  ) throws -> SessionEnd {
    switch arguments.first {
    case "sweep": return try SweepCheck(arguments.dropFirst()).run(over: transport, interconnect)
    case "dispatch":
      return try SweepCheck.dispatch(Int(arguments.last ?? "") ?? 1000, over: transport)
    default:
      print("no such check: \(arguments)")
      return SessionEnd(status: 64)
    }
  }
}
