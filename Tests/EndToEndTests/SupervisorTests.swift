import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// `cluster/run` around a stand-in for memsweep, whose end is known.
  @Suite(.timeLimit(.minutes(3))) struct SupervisorTests {
    @Test(arguments: [0, 1, 2, 64, 74, 75]) func statusIsTheProgramsOwn(status: Int32) throws {
      let standIn = try StandIn("leave \(status)")
      let outcome = try standIn.start().wait()
      #expect(outcome.status == status, "\(outcome)")
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2])
    func signalBecomesSIGUSR1AtEveryRank(signal: Int32) throws {
      let standIn = try StandIn("while :; do sleep 0.05; done")
      let running = try standIn.start()
      #expect(running.wait { standIn.startedRanks == 3 }, "\(running.errorSoFar)")
      running.send(signal)
      let outcome = running.wait(timeout: 30)
      #expect(outcome.status == 75, "\(outcome)")
      #expect(standIn.folder.files(below: "signalled").count == 3)
      #expect(running.waitUntilNothingIsLeft(timeout: 1))
    }

    @Test func secondControlCEndsAtOnce() throws {
      let standIn = try StandIn("trap '' USR1 TERM INT; while :; do sleep 0.05; done")
      let running = try standIn.start()
      #expect(running.wait { standIn.startedRanks == 3 }, "\(running.errorSoFar)")
      running.send(SIGINT)
      running.wait { running.errorSoFar.contains("SIGINT") }
      running.send(SIGINT)
      #expect(running.wait(timeout: 10).status == 75)
      #expect(running.waitUntilNothingIsLeft(timeout: 1))
    }

    @Test func launcherThatOutlivesItsSweepIsEnded() throws {
      let standIn = try StandIn(
        "[ $rank = 0 ] && leave 2; trap '' USR1 TERM; while :; do sleep 0.05; done")
      let running = try standIn.start()
      #expect(running.wait(timeout: 60).status == 2)
      #expect(running.waitUntilNothingIsLeft(timeout: 1))
    }

    @Test func lostSweepIsStartedAgain() throws {
      let standIn = try StandIn(
        """
        [ -e ../lost ] && leave 0
        if [ $rank = 0 ]; then : >../lost; kill -KILL $$; fi
        sleep 0.5; exit 0
        """)
      let outcome = try standIn.start().wait()
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.error.contains("starting it again"))
    }

    @Test func killedLauncherIsStartedAgain() throws {
      let standIn = try StandIn(
        """
        [ -e ../lost ] && leave 0
        if [ $rank = 0 ]; then : >../lost; kill -KILL $PPID; fi
        sleep 0.5; exit 0
        """)
      let running = try standIn.start()
      let outcome = running.wait(timeout: 60)
      #expect(outcome.status == 0, "\(outcome)")
      #expect(running.waitUntilNothingIsLeft(timeout: 1))
    }

    @Test func sweepThatIsLostEveryTimeIsGivenUp() throws {
      let standIn = try StandIn(": >../started/$$; [ $rank = 0 ] && kill -KILL $$; exit 0")
      let outcome = try standIn.start().wait()
      #expect(outcome.status == 1, "\(outcome)")
      #expect(outcome.error.contains("giving up"))
      #expect(outcome.error.components(separatedBy: "starting it again").count == 3)
    }

    @Test(arguments: [["--ranks", "5"], ["--ranks=5"]])
    func ranksAreThoseAskedFor(options: [String]) throws {
      let standIn = try StandIn("leave 0")
      let outcome = try standIn.start(options + ["x=1"]).wait()
      #expect(outcome.status == 0, "\(outcome)")
      #expect(standIn.startedRanks == 5)
      #expect(standIn.folder.text("work/arguments") == "FILE x=1\n")
    }

    @Test(arguments: [["--ranks", "none"], ["--ranks=0"], ["--ranks"]])
    func impossibleRanksAreStatus64(options: [String]) throws {
      let standIn = try StandIn("leave 0")
      let outcome = try standIn.start(options).wait()
      #expect(outcome.status == 64, "\(outcome)")
    }
  }
}

/// A program in place of memsweep: a few lines of shell.
///
/// They see the variable `rank` and the function `leave STATUS`; SIGUSR1 makes it leave with 75.
private struct StandIn {
  let folder: TemporaryFolder
  private let program: String

  init(_ lines: String) throws {
    folder = try TemporaryFolder()
    program = try folder.write(
      """
      #!/bin/bash
      rank=${OMPI_COMM_WORLD_RANK:-0}
      leave() {
        if [ $rank = 0 ]; then
          echo $1 >"$MEMSWEEP_EXIT_STATUS.new"
          mv "$MEMSWEEP_EXIT_STATUS.new" "$MEMSWEEP_EXIT_STATUS"
        fi
        exit $1
      }
      trap ': >../signalled/$rank; leave 75' USR1
      [ $rank = 0 ] && echo "$*" >arguments
      : >../started/$rank
      \(lines)
      """, to: "program")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    for name in ["started", "signalled", "work"] {
      try FileManager.default.createDirectory(
        atPath: folder.path(name), withIntermediateDirectories: false)
    }
  }

  /// How many ranks have begun.
  var startedRanks: Int { folder.files(below: "started").count }

  /// Starts `cluster/run FILE options`, on three ranks if `options` name no number.
  func start(_ options: [String] = []) throws -> RunningProgram {
    try RunningProgram(
      "\(Program.packageFolder)/cluster/run", ["FILE"] + options,
      environment: ["MEMSWEEP_PROGRAM": program, "MEMSWEEP_RANKS": "3"],
      folder: folder.path("work"))
  }
}
