import MemoryNets
import Sweeps
import Testing

/// The expected numbers come from a second implementation, in Python.
///
/// Philox4x32-10, its streams and bounded integers as documented there, `numpy.quantile`,
/// `scipy.stats.trim_mean` where n is a multiple of 4, and for other n this:
///
///     def iqm(x):
///       x = sorted(x); n = len(x)
///       return sum(max(0, min(i+1, 3*n/4) - max(i, n/4)) * v for i, v in enumerate(x)) * 2 / n
@Suite struct StatisticsTests {
  private func statistics(_ values: [Double]) -> SampleStatistics? {
    SampleStatistics(values, key: PhiloxKey(7))
  }

  @Test func quantilesInterpolateAsType7() {
    let values = [1, 2, 4, 8.5, 9]
    let expected = [(0, 1), (0.025, 1.1), (0.3, 2.4), (0.5, 4), (0.975, 8.95), (1, 9)]
    for (fraction, value) in expected {
      #expect(abs(quantile(fraction, ofSorted: values) - value) < 1e-12)
    }
    #expect(quantile(0.3, ofSorted: [5]) == 5)
  }

  @Test func interquartileMeanKeepsExactlyHalfTheWeight() {
    func iqm(_ values: [Double]) -> Double { SampleStatistics.interquartileMean(values.sorted()) }
    #expect(iqm([3]) == 3)
    #expect(iqm([3, 5]) == 4)
    #expect(abs(iqm([3, 5, 11]) - 5.666666666666667) < 1e-12)
    #expect(abs(iqm([1, 2, 3, 10, 100]) - 4.8) < 1e-12)
    #expect(abs(iqm([1, 2, 3, 4, 100, 7]) - 3.8333333333333335) < 1e-12)
    #expect(iqm([1, 2, 3, 4, 10, 20, 30, 40]) == 9.25)
  }

  @Test func bootstrapGivesTheIntervalOfTheSecondImplementation() throws {
    let key = Bootstrap.key(
      method: "lstm", parameters: [Made.hidden(50)], metric: "validation.accuracy")
    let values = [0.91, 0.95, 0.97, 0.88, 0.99]
    let interval = try #require(Bootstrap.interval(values, key: key))
    #expect(abs(interval.lowerBound - 0.904) < 1e-12)
    #expect(abs(interval.upperBound - 0.974) < 1e-12)
    let other = try #require(Bootstrap.interval([1, 2, 3, 4, 5, 6, 7], key: PhiloxKey(7)))
    #expect(abs(other.lowerBound - 2.5714285714285716) < 1e-12)
    #expect(abs(other.upperBound - 5.428571428571429) < 1e-12)
  }

  @Test func bootstrapDependsOnTheValuesAndTheKeyAlone() throws {
    let values = (0..<20).map { Double(philox($0)) / 1000 }
    let first = Bootstrap.interval(values, key: PhiloxKey(1))
    #expect(first == Bootstrap.interval(values.reversed(), key: PhiloxKey(1)))
    #expect(first != Bootstrap.interval(values, key: PhiloxKey(2)))
    let keys = [
      Bootstrap.key(method: "a", parameters: [], metric: "m"),
      Bootstrap.key(method: "b", parameters: [], metric: "m"),
      Bootstrap.key(method: "a", parameters: [Made.hidden(1)], metric: "m"),
      Bootstrap.key(method: "a", parameters: [], metric: "n"),
    ]
    #expect(Set(keys).count == 4)
  }

  private func philox(_ number: Int) -> UInt32 { PhiloxKey(5).derived(UInt64(number)).low % 1000 }

  @Test func oneValueHasNoIntervalAndNoneHasNothing() throws {
    let one = try #require(statistics([0.5]))
    #expect(one.interval == nil)
    #expect((one.mean, one.minimum, one.maximum) == (0.5, 0.5, 0.5))
    #expect(one.interquartileMean == 0.5)
    #expect(statistics([]) == nil)
    #expect(statistics([.nan, .infinity]) == nil)
    #expect(statistics([.nan, 2])?.count == 1)
    #expect(statistics([2, 2, 2])?.interval == 2...2)
  }

  @Test func statisticsDoNotDependOnTheOrderOfSeeds() throws {
    let values = [0.1, 0.2, 0.3, 1e16, -1e16, 0.7]
    #expect(statistics(values) == statistics(values.reversed()))
    let result = try #require(statistics([4, 1, 7]))
    #expect((result.count, result.mean, result.minimum, result.maximum) == (3, 4, 1, 7))
  }

  // MARK: - Survival

  private func median(reached: [Double], censored: [Double] = []) -> Double? {
    var times = SurvivalTimes()
    for time in censored { times.censored(at: time) }
    for time in reached { times.reached(at: time) }
    #expect(times.count == reached.count + censored.count)
    #expect(times.reachedCount == reached.count)
    return times.median
  }

  @Test func medianOfUncensoredTimesIsTheLowerMiddle() {
    #expect(median(reached: [5]) == 5)
    #expect(median(reached: [9, 1, 5]) == 5)
    #expect(median(reached: [1, 2, 3, 4]) == 2)
    #expect(median(reached: [4, 4, 4, 9]) == 4)
    // 5/6 * 4/5 * 3/4 = 1/2, which is 0.5000000000000001 when multiplied as floating point.
    #expect(median(reached: [1, 2, 3, 4, 5, 6]) == 3)
    for count in 1...60 {
      #expect(median(reached: (1...count).map(Double.init)) == Double((count + 1) / 2))
    }
  }

  @Test func medianIsNotReachedWhenMoreThanHalfNeverAre() {
    let never = Double.infinity
    #expect(median(reached: []) == nil)
    #expect(median(reached: [], censored: [3]) == nil)
    #expect(median(reached: [1, 2], censored: [never, never]) == 2)
    #expect(median(reached: [1, 2], censored: [never, never, never]) == nil)
  }

  @Test func medianWeighsCensoredTimesAsKaplanAndMeier() {
    // By hand: at 10, 4 of 4 watched; 20 censored; at 30, 2 watched: 3/4 * 1/2 = 3/8.
    #expect(median(reached: [10, 30, 40], censored: [20]) == 30)
    // Leaving at the time of an event counts as watched then: 4/5, then 3/5, then 3/5 * 1/2.
    #expect(median(reached: [10, 20, 30], censored: [20, 40]) == 30)
    // At 20: 4/5 * 2/4 with both at once.
    #expect(median(reached: [10, 20, 20], censored: [20, 40]) == 20)
    // Early censoring leaves the last one alone: 0 of 1.
    #expect(median(reached: [50], censored: [1, 2, 3]) == 50)
    #expect(median(reached: [50], censored: [1, 2, 60]) == 50)
    #expect(median(reached: [50], censored: [1, 60, 70]) == nil)
  }

  /// Weeks of remission of leukaemia patients, Freireich et al., Blood 21, 1963: the textbook case,
  /// whose medians are 23 and 8.
  @Test func medianOfTheRemissionTimesIsTheTextbooks() {
    #expect(
      median(
        reached: [6, 6, 6, 7, 10, 13, 16, 22, 23],
        censored: [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]) == 23)
    #expect(
      median(
        reached: [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]) == 8)
  }
}
