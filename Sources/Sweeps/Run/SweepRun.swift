import MPI

/// What the coordinator needs to run a sweep; made on rank 0 only.
package struct SweepWork {
  package var source: any TrialSource
  package var sink: any ResultSink
  package var directory: SweepDirectory?
  package var incarnation: Int
  package var options: Coordinator.Options

  package init(
    source: any TrialSource, sink: any ResultSink, directory: SweepDirectory? = nil,
    incarnation: Int? = nil, options: Coordinator.Options = Coordinator.Options()
  ) {
    self.source = source
    self.sink = sink
    self.directory = directory
    self.incarnation = incarnation ?? directory?.incarnation ?? 1
    self.options = options
  }
}

/// How a run ended on this rank.
package struct RunEnd {
  package var status: ExitStatus
  /// Whether all ranks left in good order and can finalize MPI together.
  package var isTogether: Bool
  /// Where the run stood at its end; on rank 0 only.
  package var final: RunStatus?

  package init(status: ExitStatus, isTogether: Bool, final: RunStatus? = nil) {
    self.status = status
    self.isTogether = isTogether
    self.final = final
  }

  /// For `MPISession.run`.
  package var sessionEnd: SessionEnd {
    SessionEnd(status: status.rawValue, isTogether: isTogether)
  }
}

/// One run of a sweep over the ranks there are: rank 0 coordinates, the others train; a lone process
/// does both.
package enum SweepRun {
  /// Runs until every trial has a result, or until asked to stop.
  ///
  /// Every rank calls it. `work` is called on rank 0 only; if it throws, the workers are dismissed
  /// and the error is thrown on. Workers return `complete` in any case: rank 0 speaks for the run.
  /// A failure of the sink is thrown, too, once the workers have left.
  package static func run(
    transport: (any Transport)?, stop: StopRequest, printer: ProgressPrinter? = nil,
    clock: RunClock = RunClock(), workerOptions: WorkerState.Options = WorkerState.Options(),
    makeTeam: TeamMaker? = nil, runner: () -> any TrialRunner, work: () throws -> SweepWork
  ) throws -> RunEnd {
    func worker(_ transport: any Transport) -> Worker {
      Worker(
        transport: transport, runner: runner(), makeTeam: makeTeam, stop: stop, clock: clock,
        options: workerOptions)
    }
    if let transport, transport.rank > 0 {
      switch worker(transport).run() {
      case .dismissed(let finalizes): return RunEnd(status: .complete, isTogether: finalizes)
      case .coordinatorLost: return RunEnd(status: .interrupted, isTogether: false)
      }
    }
    let ranks = transport.map { $0.size > 1 ? $0 : nil } ?? nil
    let made: SweepWork
    do {
      made = try work()
    } catch {
      if let ranks { dismissAll(ranks) }
      throw error
    }
    let coordinator = Coordinator(
      source: made.source, sink: made.sink, workerCount: ranks.map { $0.size - 1 } ?? 1,
      incarnation: made.incarnation, options: made.options, now: clock.now)
    if let ranks {
      CoordinatorLoop(
        coordinator, transport: ranks, clock: clock, stop: stop, directory: made.directory,
        printer: printer
      ).run()
    } else {
      let pair = LocalTransport.pair()
      let loop = CoordinatorLoop(
        coordinator, transport: pair.coordinator, clock: clock, stop: stop,
        directory: made.directory, printer: printer)
      pair.worker.pump = { [unowned loop] in loop.turn() }
      _ = worker(pair.worker).run()
    }
    printer?.finish(coordinator.status)
    if let failure = coordinator.failure { throw failure }
    guard case .ended(let status) = coordinator.phase else {
      return RunEnd(status: .internalError, isTogether: false)
    }
    return RunEnd(
      status: status, isTogether: coordinator.isTogether && !stop.isOrphaned,
      final: coordinator.status)
  }

  private static func dismissAll(_ transport: any Transport) {
    for rank in 1..<transport.size {
      transport.send(ToWorker.goodbye(finalizes: true).encoded, to: rank)
    }
  }
}
