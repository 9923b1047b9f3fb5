import MemoryNets
import Testing

/// What a cell carries and learns, as the program reports it, for 3 inputs and 5 hidden units.
@Suite struct StateSizeTests {
  struct Expected: Sendable, CustomTestStringConvertible {
    let cell: String
    let options: OptionDictionary
    let state: Int
    let parameters: Int
    var testDescription: String { cell }
  }

  static let expected = [
    // 2 H + H (H + E) + H^2; two bias-free maps and two norms.
    Expected(
      cell: "gated_fast_weights", options: ["slow_size": .integer(4)], state: 10 + 40 + 25,
      parameters: 4 * 8 + 51 * 4 + 20),
    // 2 H + s r t: the carried norm follows from F.
    Expected(
      cell: "fwm",
      options: ["entity_size": .integer(3), "relation_size": .integer(2), "reads": .integer(2)],
      state: 10 + 18, parameters: 20 * 9 + 9 * 6 + 7 * 6 + 5 * 4),
    // 2 d^2 a head, and three steps of q and k before the convolution.
    Expected(
      cell: "mesa", options: ["heads": .integer(2), "head_size": .integer(3)],
      state: 36 + 2 * 3 * 6,
      parameters: 3 * 18 + 8 * 6 + 2 * 8 + 6 + 3 + 30),
    Expected(
      cell: "stable_hadamard", options: ["memory_size": .integer(4), "theta_rows": .integer(3)],
      state: 16, parameters: 6 + 4 * 12 + 3 + 12 + 25),
    // 2 H + (4 H)^2.
    Expected(
      cell: "fw_lstm", options: ["fast_scope": .string("all_gates")], state: 10 + 400,
      parameters: 20 * 9 + 40 + 10),
    Expected(
      cell: "fw_rnn", options: ["inner": .string("slow")], state: 5, parameters: 5 * 9 + 10),
    Expected(
      cell: "fw_rnn", options: ["inner": .string("previous")], state: 5 + 25,
      parameters: 5 * 9 + 10),
  ]

  @Test(arguments: expected) func sizesAreThoseOfTheEquations(test: Expected) throws {
    let kind = try #require(CellRegistry.kind(named: test.cell))
    let options = test.options.merging(["hidden_size": .integer(5)]) { $1 }
    let g = StepBuilder()
    g.output(
      kind.make(try decodeOptions(kind.defaults, from: options))
        .step(g.input(.caller, 3), in: g))
    #expect(g.graph.stateSize == test.state)
    #expect(g.graph.parameterCount == test.parameters)
  }

  /// The controls of the fast-weight net have one step, and nothing to write first.
  @Test func controlsRefuseWhatTheyCannotBe() {
    var options = FastWeightRNN.Options()
    options.inner = .previous
    #expect(options.validate().isEmpty)
    options.innerSteps = 2
    options.order = .writeThenRead
    #expect(options.validate().map(\.option) == ["inner_steps", "order"])
  }
}
