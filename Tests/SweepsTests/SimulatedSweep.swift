import MPI
import MemoryNets
import Sweeps

/// A sweep over simulated ranks, links and time, everything of which follows from one seed.
///
/// Messages are delayed, lost, doubled and overtaken; workers are killed and stopped for a while, the
/// job is asked to stop or dies as a whole, and some trials kill whatever runs them. A job that ends
/// early is started again over the same durable results until one ends by itself; the last ones
/// meet no more faults from outside.
struct SimulatedSweep {
  /// What must never happen and did.
  private(set) var violations: [String] = []
  private(set) var jobs = 0
  private(set) var deaths = 0
  let sink = MemorySink()
  private let trialCount: Int
  private let hasTeams: Bool
  private var random: PhiloxStream
  private let key: PhiloxKey
  /// Steps of each trial that are in its checkpoint.
  private var checkpoints: [TrialIdentity: Int] = [:]
  private var teams: [LeaseNumber: SimulatedTeam] = [:]
  /// How many leases went to teams.
  private(set) var teamLeases = 0

  /// With `hasTeams` trials ask for 1, 2 or 4 ranks.
  init(seed: Int, hasTeams: Bool = false) {
    key = PhiloxKey(UInt64(seed)).derived("simulated sweep")
    random = PhiloxStream(key: key, stream: 0)
    trialCount = 1 + random.integer(below: 25)
    self.hasTeams = hasTeams
  }

  private func trial(_ number: Int) -> Trial {
    var stream = PhiloxStream(key: key.derived("ranks"), stream: UInt64(number))
    return numberedTrial(number, ranks: hasTeams ? 1 << stream.integer(below: 3) : 1)
  }

  // MARK: - What trials do

  private enum Fate { case completes, diverges, kills }

  private func fate(of trial: Trial) -> (Fate, steps: Int, stepSeconds: Double) {
    var stream = PhiloxStream(key: key.derived("trial"), stream: UInt64(trial.seed))
    let steps = 1 + stream.integer(below: 12)
    // A third of the trials are so short that they are queued.
    let stepSeconds = stream.integer(below: 3) == 0 ? 0.0005 : 0.02 + 0.1 * stream.uniform()
    switch stream.integer(below: 20) {
    case 0: return (.kills, steps, stepSeconds)
    case 1, 2: return (.diverges, steps, stepSeconds)
    default: return (.completes, steps, stepSeconds)
    }
  }

  // MARK: - The world

  private enum Event {
    case coordinatorTurn
    case workerTurn(Rank)
    case toWorker(Rank, [UInt8])
    case toCoordinator(Rank, [UInt8])
    case kill(Rank)
    case pause(Rank)
    case resume(Rank)
    case requestStop
    case killJob
  }

  private struct SimulatedWorker {
    var state: WorkerState
    var isDead = false
    var isPaused = false
    var inbox: [[UInt8]] = []
    var assignment: Assignment?
    var stepEnds = 0.0
    var step = 0
    /// When it came to the end of the step; nil while it is within.
    var arrived: Double?
  }

  /// The ranks that train a trial together go from step to step together.
  private struct SimulatedTeam {
    var start: Int
    /// What each rank was told at the end of each step.
    var told: [Int: [Rank: Directive]] = [:]
    var gone: Set<Rank> = []
  }

  /// Events by time, those of one time in the order in which they were added.
  private struct Agenda {
    private var heap: [(time: Double, order: Int, event: Event)] = []
    private var added = 0

    mutating func add(_ event: Event, at time: Double) {
      added += 1
      heap.append((time, added, event))
      var child = heap.count - 1
      while child > 0, isEarlier(child, (child - 1) / 2) {
        heap.swapAt(child, (child - 1) / 2)
        child = (child - 1) / 2
      }
    }

    mutating func next() -> (Double, Event)? {
      guard let first = heap.first else { return nil }
      heap.swapAt(0, heap.count - 1)
      heap.removeLast()
      var parent = 0
      while true {
        var least = parent
        for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
          if isEarlier(child, least) { least = child }
        }
        if least == parent { break }
        heap.swapAt(parent, least)
        parent = least
      }
      return (first.time, first.event)
    }

    private func isEarlier(_ a: Int, _ b: Int) -> Bool {
      (heap[a].time, heap[a].order) < (heap[b].time, heap[b].order)
    }
  }

  /// Starts the job until one ends with every trial accounted for.
  mutating func run() {
    var start = 1000.0
    while jobs < 60 {
      jobs += 1
      let ended = runJob(start: start, hasFaults: jobs <= 4)
      start = ended.time + 1
      if let status = ended.status, status != .interrupted { break }
      if jobs == 60 { violations.append("not finished after \(jobs) jobs") }
    }
    check()
  }

  private mutating func runJob(
    start: Double, hasFaults: Bool
  ) -> (status: ExitStatus?, time: Double) {
    var options = Coordinator.Options()
    options.beatSeconds = 0.2
    options.silenceSeconds = 2
    options.stopSeconds = 5
    options.leaveSeconds = 2
    options.hasTeams = hasTeams
    var workerOptions = WorkerState.Options()
    workerOptions.beatSeconds = 0.2
    workerOptions.silenceSeconds = 10
    let workerCount = 1 + random.integer(below: hasTeams ? 7 : 4)
    teams = [:]
    let loss = hasFaults ? [0, 0, 0.05, 0.3][random.integer(below: 4)] : 0
    let doubling = hasFaults ? [0, 0.1][random.integer(below: 2)] : 0
    let delay = [0.0001, 0.01, 0.2][random.integer(below: 3)]
    let coordinator = Coordinator(
      source: ListedTrials((0..<trialCount).map { trial($0) }), sink: sink,
      workerCount: workerCount, incarnation: jobs, options: options, now: start)
    var workers = (0..<workerCount).map { _ in
      SimulatedWorker(state: WorkerState(options: workerOptions, now: start))
    }
    var agenda = Agenda()
    var now = start
    var hasEnded = false
    agenda.add(.coordinatorTurn, at: start)
    for rank in 1...workerCount { agenda.add(.workerTurn(rank), at: start + random.uniform()) }
    if hasFaults { addFaults(to: &agenda, workerCount: workerCount, start: start) }

    func post(_ event: Event, _ random: inout PhiloxStream) {
      guard random.uniform() >= loss else { return }
      for _ in 0..<(random.uniform() < doubling ? 2 : 1) {
        agenda.add(event, at: now + delay * (0.5 + random.uniform()))
      }
    }

    while let (time, event) = agenda.next() {
      now = time
      if now > start + 600 {
        violations.append("job \(jobs) goes on for ever: \(coordinator.phase)")
        return (nil, now)
      }
      switch event {
      case .toCoordinator(let rank, let bytes):
        guard !hasEnded, let message = try? FromWorker(decoding: bytes) else { continue }
        coordinator.receive(message, from: rank, now: now)
        fallthrough
      case .coordinatorTurn:
        guard !hasEnded else { continue }
        coordinator.tick(now: now)
        for (message, rank) in coordinator.takeMessages() {
          inspect(message, to: rank)
          post(.toWorker(rank, message.encoded), &random)
        }
        if case .ended = coordinator.phase { hasEnded = true }
        if case .coordinatorTurn = event { agenda.add(.coordinatorTurn, at: now + 0.05) }
      case .toWorker(let rank, let bytes):
        workers[rank - 1].inbox.append(bytes)
        fallthrough
      case .workerTurn(let rank):
        let messages = turn(&workers[rank - 1], rank: rank, now: now)
        for message in messages { post(.toCoordinator(rank, message.encoded), &random) }
        let worker = workers[rank - 1]
        guard case .workerTurn = event, !worker.isDead, worker.state.ending == nil else { break }
        let isRunning = worker.assignment != nil && !worker.isPaused
        let next = worker.arrived == nil ? max(worker.stepEnds, now) : now + 0.01
        agenda.add(.workerTurn(rank), at: isRunning ? next : now + 0.1)
      case .kill(let rank): workers[rank - 1].isDead = true
      case .pause(let rank): workers[rank - 1].isPaused = true
      case .resume(let rank): workers[rank - 1].isPaused = false
      case .requestStop: coordinator.requestStop(because: "signal", now: now)
      case .killJob:
        sink.crash()
        return (nil, now)
      }
      // Ranks that are not dead must end by themselves once the coordinator has.
      if hasEnded, workers.allSatisfy({ $0.isDead || $0.isPaused || $0.state.ending != nil }) {
        break
      }
    }
    guard case .ended(let status) = coordinator.phase else { return (nil, now) }
    return (status, now)
  }

  private mutating func addFaults(to agenda: inout Agenda, workerCount: Int, start: Double) {
    for rank in 1...workerCount {
      switch random.integer(below: 6) {
      case 0: agenda.add(.kill(rank), at: start + 8 * random.uniform())
      case 1, 2:
        let pause = start + 4 * random.uniform()
        agenda.add(.pause(rank), at: pause)
        agenda.add(.resume(rank), at: pause + 8 * random.uniform())
      default: break
      }
    }
    switch random.integer(below: 5) {
    case 0: agenda.add(.requestStop, at: start + 3 * random.uniform())
    case 1: agenda.add(.killJob, at: start + 3 * random.uniform())
    default: break
    }
  }

  /// What the loop of a worker does, one step of a trial at a time.
  private mutating func turn(
    _ worker: inout SimulatedWorker, rank: Rank, now: Double
  ) -> [FromWorker] {
    guard !worker.isDead, !worker.isPaused, worker.state.ending == nil else { return [] }
    for bytes in worker.inbox {
      guard let message = try? ToWorker(decoding: bytes) else { continue }
      worker.state.receive(message, now: now)
    }
    worker.inbox.removeAll()
    worker.state.passTime(now: now)
    if let assignment = worker.assignment {
      step(assignment, on: &worker, rank: rank, now: now)
    }
    if worker.isDead { return [] }
    if worker.assignment == nil, let assignment = worker.state.begin() {
      worker.assignment = assignment
      let saved = checkpoints[assignment.trial.identity] ?? 0
      let team = teams[assignment.lease] ?? SimulatedTeam(start: saved)
      teams[assignment.lease] = team
      worker.step = team.start
      worker.stepEnds = now + fate(of: assignment.trial).stepSeconds
    }
    return worker.state.takeMessages(now: now)
  }

  private mutating func step(
    _ assignment: Assignment, on worker: inout SimulatedWorker, rank: Rank, now: Double
  ) {
    let (fate, steps, stepSeconds) = fate(of: assignment.trial)
    let members = assignment.team.isEmpty ? [rank] : assignment.team
    let isLead = members[0] == rank
    func end(_ outcome: TrialOutcome) {
      worker.state.end(outcome, elapsedSeconds: Double(steps) * stepSeconds)
      worker.assignment = nil
      worker.arrived = nil
      teams[assignment.lease]?.gone.insert(rank)
    }
    guard now >= worker.stepEnds else { return }
    if worker.arrived == nil {
      worker.arrived = now
      teams[assignment.lease]?.told[worker.step, default: [:]][rank] = worker.state.directive
    }
    let told = teams[assignment.lease]?.told[worker.step] ?? [:]
    guard told.count == members.count else {
      let gone = teams[assignment.lease]?.gone.subtracting(told.keys) ?? []
      if case .abandon = worker.state.directive {
        end(.abandoned)
      } else if !gone.isEmpty || now - (worker.arrived ?? now) > 2 {
        end(.broken(step: worker.step, reason: "missing"))
      }
      return
    }
    worker.arrived = nil
    worker.step += 1
    worker.stepEnds = now + stepSeconds
    if fate == .kills && worker.step >= steps && members.last == rank {
      worker.isDead = true
      deaths += 1
      return
    }
    guard worker.step >= steps else {
      switch told.values.max(by: { $0.rawValue < $1.rawValue }) ?? .proceed {
      case .proceed, .checkpoint: break
      case .stop where isLead:
        checkpoints[assignment.trial.identity] = worker.step
        end(told[rank] == .stop ? .preempted(step: worker.step) : .yielded(step: worker.step))
      case .stop: end(.followed)
      case .abandon: end(.abandoned)
      }
      return
    }
    guard isLead else { return end(.followed) }
    // The lead misses a partner that has died.
    if fate == .kills { return end(.broken(step: worker.step, reason: "missing")) }
    var result = TrialResult(status: fate == .diverges ? .diverged : .complete, steps: steps)
    result.metrics = [MetricPoint(step: steps, name: "validation.loss", value: 1)]
    end(.finished(result))
  }

  // MARK: - Invariants

  private mutating func inspect(_ message: ToWorker, to rank: Rank) {
    guard case .lease(_, let keep, let new) = message else { return }
    if hasTeams, keep.count > 1 { violations.append("rank \(rank) has \(keep.count) trials") }
    for assignment in new where !assignment.team.isEmpty {
      let team = assignment.team
      teamLeases += 1
      if Set(team).count != team.count || !team.contains(rank)
        || team.count.nonzeroBitCount != 1 || team.count > assignment.trial.ranks
      {
        violations.append("rank \(rank) in the team \(team)")
      }
    }
    for assignment in new {
      if sink.status(of: assignment.trial.identity) != nil {
        violations.append("trial \(assignment.trial.seed) leased after its result")
      }
      if !keep.contains(assignment.lease) { violations.append("a new lease is not to be kept") }
    }
  }

  private mutating func check() {
    if !sink.duplicates.isEmpty { violations.append("second results: \(sink.duplicates)") }
    for number in 0..<trialCount {
      let trial = trial(number)
      let (fate, steps, _) = fate(of: trial)
      guard let result = sink.durable[trial.identity] else {
        violations.append("trial \(number) has no result")
        continue
      }
      let crashes = sink.eventKinds(of: trial.identity).count { $0 == "crashed" }
      if crashes > 3 { violations.append("trial \(number) crashed \(crashes) times") }
      let expired = sink.eventKinds(of: trial.identity).count { $0 == "lease_expired" }
      switch (result.status, fate) {
      case (.complete, .completes), (.diverged, .diverges):
        if result.steps != steps { violations.append("trial \(number): \(result.steps) steps") }
      case (.failed, _):
        if max(expired, crashes) < 3 {
          violations.append("trial \(number) failed after \(expired) deaths")
        }
      default: violations.append("trial \(number) is \(result.status) and \(fate)")
      }
    }
  }
}
