import MemoryNets
import Testing

@Suite struct MetricsTests {
  @Test(arguments: [
    TaskShape.Loss.softmaxCrossEntropy, .sigmoidCrossEntropy, .squaredError, .halfSquaredError,
    .meanSquaredError, .squaredErrorOfSigns,
  ])
  func namesAreThoseOfTheMetrics(loss: TaskShape.Loss) {
    var statistics = LossStatistics()
    statistics.weight = 2
    #expect(Metrics.metrics(of: statistics, loss: loss).map(\.name) == Metrics.names(loss))
    #expect(Metrics.metrics(of: LossStatistics(), loss: loss) == [])
  }

  @Test func softmaxGivesMeanLossAndAccuracy() {
    var statistics = LossStatistics()
    (statistics.loss, statistics.weight, statistics.correct) = (3, 4, 1)
    #expect(
      Metrics.metrics(of: statistics, loss: .softmaxCrossEntropy)
        == [Metric("loss", 0.75), Metric("accuracy", 0.25)])
  }

  @Test func silenceCountsAsAnErrorInOneConventionAlone() {
    var statistics = LossStatistics()
    statistics.loss = 30
    statistics.weight = 10
    statistics.truePositives = 6
    statistics.falsePositives = 1
    statistics.falseNegatives = 1
    statistics.silentAnswers = 4
    #expect(
      Metrics.metrics(of: statistics, loss: .sigmoidCrossEntropy)
        == [
          Metric("loss", 3), Metric("frame_accuracy", 0.75),
          Metric("frame_accuracy_silence_as_error", 0.5),
        ])
    statistics = LossStatistics()
    (statistics.weight, statistics.silentAnswers) = (2, 2)
    #expect(
      Metrics.metrics(of: statistics, loss: .sigmoidCrossEntropy).map(\.value) == [0, 1, 0])
  }

  @Test func perplexityAndExcessAreOfTheMeanLoss() {
    var shape = TaskShape(
      input: .tokens(vocabulary: 3), outputSize: 3, loss: .softmaxCrossEntropy,
      outputSteps: .every, maximumSteps: 4)
    shape.measures = [.perplexity, .excess]
    let statistics = LossStatistics(loss: 3, weight: 2, correct: 1, bound: 1)
    let metrics = Metrics.metrics(of: statistics, shape: shape)
    #expect(metrics.map(\.name) == ["loss", "accuracy", "perplexity", "excess"])
    #expect(abs(metrics[2].value - 4.4816890703) < 1e-9)
    #expect(metrics[3].value == 1)
    #expect(Metrics.metrics(of: LossStatistics(), shape: shape).isEmpty)
    let hopeless = LossStatistics(loss: 1e6, weight: 1)
    #expect(Metrics.metrics(of: hopeless, shape: shape)[2].value.isFinite)
    #expect(
      Metrics.problem(
        goal: "validation.excess", loss: shape.loss, measures: shape.measures, isSteering: true)
        == nil)
    #expect(
      Metrics.problem(goal: "validation.excess", loss: shape.loss, isSteering: true) != nil)
  }

  @Test func aGoalWithoutMetricIsRefusedWithThoseThereAre() {
    #expect(
      Metrics.problem(
        goal: "validation.accuracy", loss: .softmaxCrossEntropy, isSteering: true) == nil)
    #expect(
      Metrics.problem(goal: "test.loss", loss: .squaredError, isSteering: false) == nil)
    #expect(
      Metrics.problem(goal: "validation.accuracy", loss: .squaredError, isSteering: true)
        == "validation.accuracy is no metric of this task; this task has train.loss, "
        + "validation.loss")
    #expect(
      Metrics.problem(goal: "test.loss", loss: .squaredError, isSteering: true)
        == "test.loss is known at the end only, and training cannot follow it; this task has "
        + "train.loss, validation.loss")
  }
}
