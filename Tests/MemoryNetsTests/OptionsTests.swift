import MemoryNets
import Testing

private enum Flavour: String, Codable, CaseIterable, Sendable {
  case sweet, verySour = "very_sour"
}

private struct Recipe: Options, Hashable {
  var hiddenSize = 50
  var beta1 = 0.9
  var isNested = false
  var title = "soup"
  var flavour = Flavour.verySour
  var freeze: [ParameterGroup] = []
  var sizes = [1, 2]

  func validate() -> [OptionProblem] {
    hiddenSize > 0 ? [] : [OptionProblem("hidden_size", "is \(hiddenSize); at least 1 is needed")]
  }
}

private let schema = OptionSchema(defaults: Recipe())

private func problem(_ type: OptionType, _ text: String) -> String? {
  if case .failure(let mismatch) = type.parse(text) { return mismatch.problem }
  return nil
}

@Test func schemaHasNamesTypesAndDefaultsInOrder() {
  #expect(
    schema.fields == [
      OptionField(name: "hidden_size", type: .integer, value: .integer(50)),
      OptionField(name: "beta1", type: .number, value: .number(0.9)),
      OptionField(name: "is_nested", type: .boolean, value: .boolean(false)),
      OptionField(name: "title", type: .string, value: .string("soup")),
      OptionField(
        name: "flavour", type: .choice(["sweet", "very_sour"]), value: .string("very_sour")),
      OptionField(
        name: "freeze",
        type: .list(.choice(["embedding", "controller", "memory", "readout"])), value: .list([])),
      OptionField(name: "sizes", type: .list(.integer), value: .list([.integer(1), .integer(2)])),
    ])
}

@Test func decodingLaysValuesOverDefaults() throws {
  let recipe = try decodeOptions(
    Recipe(),
    from: [
      "hidden_size": .number(8), "beta1": .integer(0), "flavour": .string("sweet"),
      "freeze": .list([.string("memory")]), "sizes": .list([]), "is_nested": .boolean(true),
    ])
  var expected = Recipe()
  expected.hiddenSize = 8
  expected.beta1 = 0
  expected.flavour = .sweet
  expected.freeze = [.memory]
  expected.sizes = []
  expected.isNested = true
  #expect(recipe == expected)
}

@Test func everyMistakeIsReportedTogether() {
  let error = #expect(throws: OptionProblems.self) {
    try decodeOptions(
      Recipe(),
      from: [
        "hidden_sise": .integer(8), "beta1": .string("x"), "flavour": .string("swet"),
        "freeze": .list([.string("memory"), .string("memry")]),
      ])
  }
  #expect(error?.problems.map(\.option) == ["beta1", "flavour", "freeze", "hidden_sise"])
  #expect(
    error?.problems.last?.problem
      == "no such option; did you mean hidden_size? known are hidden_size, beta1, is_nested, title,"
      + " flavour, freeze, sizes")
  #expect(error?.problems[1].problem.contains("did you mean sweet?") == true)
  #expect(error?.problems[2].problem.hasPrefix("item 2 is \"memry\"") == true)
}

@Test func rangesAreCheckedAfterTypes() {
  let error = #expect(throws: OptionProblems.self) {
    try decodeAnyOptions(Recipe(), from: ["hidden_size": .integer(0)])
  }
  #expect(error?.description == "hidden_size: is 0; at least 1 is needed")
}

@Test(arguments: [
  ("1e-3", 0.001), ("0.001", 0.001), ("5", 5), (".5", 0.5), ("5.", 5), ("-0", 0), ("+2E2", 200),
])
func numbersAreWrittenInManyWays(text: String, value: Double) {
  #expect(OptionType.number.parse(text) == .success(.number(value)))
}

@Test(arguments: ["0128", "1e999", "nan", "inf", "0x10", "1_000", "", " 1", "1e", "-", "."])
func whatIsNoNumberIsRefused(text: String) {
  #expect(problem(.number, text) != nil)
  #expect(problem(.integer, text) != nil)
}

@Test func leadingZerosAreRefusedWithTheNumberMeant() {
  #expect(problem(.integer, "0128") == "is \"0128\": numbers have no leading zeros; 128 is meant?")
}

@Test func integersMayHaveAnExponentIfTheyAreIntegral() {
  #expect(OptionType.integer.parse("1e5") == .success(.integer(100_000)))
  #expect(problem(.integer, "1.5") == "is \"1.5\"; an integer is needed")
  #expect(problem(.integer, "99999999999999999999") != nil)
}

@Test func theSchemaDecidesWhatATextIs() {
  #expect(OptionType.string.parse("no") == .success(.string("no")))
  #expect(OptionType.string.parse("1e-3") == .success(.string("1e-3")))
  #expect(problem(.boolean, "no") == "is \"no\"; true or false is needed")
  #expect(OptionType.boolean.parse("true") == .success(.boolean(true)))
}

@Test(arguments: [
  ("decy", "decay"), ("dceay", "decay"), ("Rate", "rate"), ("learning", "learning_rate"),
])
func theNearestNameIsFound(name: String, nearest: String) {
  #expect(nearestName(to: name, in: ["rate", "decay", "learning_rate"]) == nearest)
}

@Test func whatIsFarHasNoNearestName() {
  #expect(nearestName(to: "x", in: ["rate", "decay"]) == nil)
  #expect(nearestName(to: "momentum", in: ["rate", "decay"]) == nil)
  #expect(nearestName(to: "", in: ["rate"]) == nil)
}

@Test func cellsShareNoOptionWithTheModel() {
  let common = Set(OptionSchema(defaults: ModelOptions()).names)
  for kind in CellRegistry.all {
    let own = Set(OptionSchema(defaults: kind.defaults).names)
    #expect(own.isDisjoint(with: common), "\(kind.name)")
  }
}

@Test func registeredDefaultsAreValid() {
  for kind in CellRegistry.all { #expect(kind.defaults.validate().isEmpty, "\(kind.name)") }
  for kind in TaskRegistry.all { #expect(kind.defaults.validate().isEmpty, "\(kind.name)") }
}
