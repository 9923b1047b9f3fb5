import Foundation
import MemoryNets
import Sweeps
import Testing

@Suite struct SpecSchemaTests {
  private func entry(_ path: String...) throws -> Any {
    let text = SpecJSONSchema(vocabulary).text
    #expect(!text.contains("\n"))
    var value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    for key in path {
      let map = try #require(value as? [String: Any])
      value = try #require(map[key], "\(key)")
    }
    return value
  }

  @Test func theSchemaHasEverySectionOfTheFile() throws {
    let sections = try #require(try entry("properties") as? [String: Any])
    let file = YAMLDocument(wholeFile, problems: ProblemList(file: "a.yaml")).root
    let keys = try #require(file?.entries?.map(\.key))
    #expect(Set(sections.keys) == Set(keys))
  }

  @Test func theSchemaKnowsChoicesAndDefaults() throws {
    let count = try entry("properties", "seeds", "properties", "count", "default")
    #expect(count as? Int == 1)
    let methods = try entry("properties", "search", "properties", "method", "enum")
    #expect(methods as? [String] == ["grid", "random"])
    let kinds = try entry("properties", "task", "properties", "kind", "enum")
    #expect(kinds as? [String] == ["associative_retrieval", "copy"])
    let model = try entry("$defs", "configuration", "properties", "model", "properties")
    let names = try #require(model as? [String: Any]).keys
    #expect(names.contains("decay") && names.contains("embedding_size"))
  }

  @Test func everyReferenceIsDefined() throws {
    let text = SpecJSONSchema(vocabulary).text
    let definitions = try #require(try entry("$defs") as? [String: Any])
    let used = text.matches(of: /"#\/\$defs\/([a-z]+)"/).map { String($0.1) }
    #expect(!used.isEmpty)
    for name in used { #expect(definitions[name] != nil, "\(name)") }
  }

  @Test func theStandardVocabularyIsThatOfTheRegistries() {
    let standard = SpecVocabulary.standard(train: PlainTraining())
    #expect(standard.cells.map(\.name) == CellRegistry.all.map(\.name))
    #expect(standard.tasks.map(\.name) == TaskRegistry.all.map(\.name))
    // Traps if a cell has an option that every model has.
    #expect(SpecSchemas(standard).model.names.contains("cell"))
    #expect(SpecJSONSchema(standard).text.hasPrefix("{"))
  }

  @Test func listsHaveOptionsWithTypesAndDefaults() {
    let fast = vocabulary.cellList[1]
    #expect(fast.name == "fw_lstm" && fast.summary == "Fast.")
    #expect(fast.options.map(\.name) == ["hidden_size", "decay", "rate", "memories"])
    #expect(
      fast.json.text.hasPrefix(
        #"{"name":"fw_lstm","options":[{"default":50,"name":"hidden_size","type":"integer","values":null}"#
      ))
    #expect(vocabulary.taskList.map(\.name) == ["associative_retrieval", "copy"])
    #expect(vocabulary.optimizerList.map(\.name) == ["sgd", "adam"])
    #expect(vocabulary.searchList.map(\.name) == ["grid", "random"])
  }
}
