import MemoryNets
import Testing

@Suite struct ScheduleTests {
  private func options(_ kind: ScheduleKind) -> TrainOptions {
    var options = TrainOptions()
    options.schedule = kind
    options.learningRate = 0.8
    options.steps = 100
    return options
  }

  @Test func constantStays() {
    let schedule = Schedule(options(.constant))
    #expect(schedule.rate(update: 0) == 0.8)
    #expect(schedule.rate(update: 99) == 0.8)
  }

  @Test func stepReducesEveryFewUpdatesDownToItsMinimum() {
    var options = options(.step)
    options.scheduleEvery = 10
    options.scheduleFactor = 0.5
    options.scheduleMinimum = 0.15
    let schedule = Schedule(options)
    #expect(
      [0, 9, 10, 19, 20, 30, 99].map { schedule.rate(update: $0) } == [
        0.8, 0.8, 0.4, 0.4, 0.2, 0.15, 0.15,
      ])
  }

  @Test func stepsMayBeginLaterThanTheyFollowEachOther() {
    var options = options(.step)
    (options.scheduleEvery, options.scheduleStart, options.scheduleFactor) = (10, 40, 0.5)
    let schedule = Schedule(options)
    #expect(
      [0, 39, 40, 49, 50, 99].map { schedule.rate(update: $0) } == [
        0.8, 0.8, 0.4, 0.4, 0.2, 0.0125,
      ]
    )
  }

  @Test func cosineEndsAtItsMinimum() {
    var options = options(.cosine)
    options.scheduleMinimum = 0.2
    let schedule = Schedule(options)
    #expect(schedule.rate(update: 0) == 0.8)
    #expect(abs(schedule.rate(update: 50) - 0.5) < 1e-15)
    #expect(abs(schedule.rate(update: 25) - (0.2 + 0.6 * (1 + 0.5.squareRoot()) / 2)) < 1e-15)
    #expect(schedule.rate(update: 100) == 0.2)
  }

  @Test(arguments: ScheduleKind.allCases)
  func warmupRisesLinearlyAndMeetsTheSchedule(kind: ScheduleKind) {
    var options = options(kind)
    options.warmup = 4
    let schedule = Schedule(options)
    let rates = (0..<5).map { schedule.rate(update: $0) }
    #expect(zip(rates, [0.2, 0.4, 0.6, 0.8, 0.8]).allSatisfy { abs($0 - $1) < 1e-15 }, "\(rates)")
  }

  @Test func plateauReducesAfterPatienceWithoutABetterOne() {
    var options = options(.plateau)
    options.schedulePatience = 2
    options.scheduleFactor = 0.1
    let schedule = Schedule(options)
    var plateau = Plateau()
    var rates: [Double] = []
    for isBetter in [true, false, true, false, false, false, false, true] {
      schedule.observe(isBetter: isBetter, plateau: &plateau)
      rates.append(schedule.rate(update: 0, plateau: plateau))
    }
    let reductions = [0, 0, 0, 0, 1, 1, 2, 2]
    #expect(
      zip(rates, reductions).allSatisfy { abs($0 - 0.8 * power(0.1, $1)) < 1e-15 }, "\(rates)")
  }

  @Test func earlyStopCountsFromTheBest() {
    let goal = TrainingGoal(metric: "validation.accuracy", isMaximized: true, target: 0.9)
    var stop = EarlyStop()
    let isBetter = [0.5, 0.6, 0.6, 0.4].enumerated().map {
      stop.observe($1, step: 10 * $0, goal: goal)
    }
    #expect(isBetter == [true, true, false, false])
    #expect(stop.bestValue == 0.6)
    #expect(stop.bestStep == 10)
    #expect(stop.isExhausted(patience: 2))
    #expect(!stop.isExhausted(patience: 3))
    #expect(!stop.isExhausted(patience: 0))
    #expect(goal.isReached(by: 0.9) && !goal.isReached(by: 0.89))
  }
}
