import Sweeps
import Testing

@Suite struct ProgressTests {
  private var status: RunStatus {
    var status = RunStatus(total: 120, startedAt: 1000)
    status.complete = 30
    status.diverged = 1
    status.failed = 2
    status.finishedHere = 23
    status.now = 1000 + 120
    status.busySeconds = 96
    status.workerSeconds = 120
    status.partsDone = 1
    status.best = (0.98765, "validation.accuracy", "fw_lstm")
    return status
  }

  @Test func theLineSaysWhereTheRunStands() {
    #expect(
      Progress.line(status, width: 120)
        == "33/120  3 failed  11.5/min  ETA 7:10  80% busy  "
        + "best validation.accuracy 0.9877 (fw_lstm)")
  }

  @Test(arguments: 0..<100) func theLineFitsTheTerminal(width: Int) {
    #expect(Progress.line(status, width: width).count <= width)
  }

  @Test func anUnknownTotalGivesNoArrivalTime() {
    var status = status
    status.total = nil
    #expect(Progress.line(status, width: 40) == "33/?  3 failed  11.5/min  80% busy")
  }

  @Test func aRunThatHasJustBegunDividesByNothing() {
    let status = RunStatus(total: 10, startedAt: 5)
    #expect(Progress.line(status, width: 80) == "0/10  0/min  0% busy")
    #expect(Progress.logLine(status) == "[0 s] 0/10, 0/min, 0% busy")
  }

  @Test func failuresNameTheTrialAndTheReason() {
    var result = TrialResult(status: .diverged, steps: 12)
    result.reason = "the loss is not finite"
    #expect(
      Progress.failureLine(numberedTrial(3), result)
        == "lstm model.hidden_size=50 seed=3: diverged at step 12: the loss is not finite")
  }

  @Test(arguments: [
    (0.4, "0 s"), (59.4, "59 s"), (65, "1:05"), (3600, "1:00:00"), (7384, "2:03:04"),
    (273_600, "3 d 4 h"), (.infinity, "?"),
  ])
  func durationsAreShort(seconds: Double, text: String) {
    #expect(Progress.duration(seconds) == text)
  }

  @Test func aTerminalLineRewritesItselfAndFailuresStay() {
    var written: [String] = []
    let printer = ProgressPrinter(isTerminal: true) { written.append($0) }
    var status = status
    printer.show(status)
    status.now += 0.1
    printer.show(status)
    #expect(written.count == 1, "at most five lines a second")
    printer.show(status, failures: [(numberedTrial(3), TrialResult(status: .failed, steps: 1))])
    #expect(written.count == 2)
    #expect(written.last?.hasPrefix("\r ") == true && written.last?.hasSuffix("step 1\n") == true)
    status.now += 0.2
    printer.show(status)
    #expect(written.last?.contains("\n") == false)
  }

  @Test func aLogGetsALineEveryFewSecondsAndOnlyWithNews() {
    var written: [String] = []
    let printer = ProgressPrinter(isTerminal: false) { written.append($0) }
    var status = status
    for _ in 0..<300 {
      status.now += 0.1
      printer.show(status)
    }
    #expect(written.count == 1)
    for _ in 0..<300 {
      status.now += 0.1
      status.complete += 1
      printer.show(status)
    }
    #expect(written.count == 4)
    #expect(written.allSatisfy { $0.hasSuffix("\n") && !$0.contains("\r") })
  }
}
