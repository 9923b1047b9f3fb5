import MemoryNets
import Sweeps
import Testing

/// How the text of a file becomes nodes, and what is refused on the way.
@Suite struct SpecYAMLTests {
  private func read(_ text: String) -> (root: YAMLNode?, problems: [String]) {
    let problems = ProblemList(file: "a.yaml")
    let document = YAMLDocument(text, problems: problems)
    return (document.root, problems.problems.map(\.description))
  }

  @Test func aliasesStandWhereTheyAreUsed() throws {
    let (root, problems) = read("a: &x {b: 1}\nc: *x\nd: [*x, 2 * 3, \"*x\"]\n")
    #expect(problems == [])
    #expect(root?["c"]?.value["b"]?.value.text == "1")
    let list = try #require(root?["d"]?.value.list)
    #expect(list[0]["b"]?.value.text == "1")
    #expect(list[1].text == "2 * 3")
    #expect(list[2].text == "*x")
  }

  @Test func mergesAddWhatIsNotThere() {
    let (root, problems) = read(
      "a: &x {b: 1, c: 2}\ny: &y {c: 5, e: 6}\nd: {<<: [*x, *y], b: 3}\n")
    #expect(problems == [])
    let d = root?["d"]?.value
    #expect(d?["b"]?.value.text == "3")
    #expect(d?["c"]?.value.text == "2")
    #expect(d?["e"]?.value.text == "6")
    #expect(d?.entries?.map(\.key) == ["b", "c", "e"])
  }

  @Test func mergesAreOfMaps() {
    #expect(
      read("d: {<<: 3}\n").problems == [
        "a.yaml:1:9: << merges a map or a list of maps; this is \"3\""
      ])
  }

  @Test func unknownAliasesNameTheNearest() {
    #expect(
      read("a: &left 1\nb: *lefd\n").problems == [
        "a.yaml:2:4: no anchor &lefd stands before; did you mean left? known are left"
      ])
  }

  @Test func aMapDoesNotHoldItself() {
    #expect(read("a: &x [*x]\n").problems.count == 1)
  }

  @Test func anAliasIsNoKey() {
    #expect(read("a: &x 1\n*x : 2\n").problems.first?.hasPrefix("a.yaml:2:1: a key is") == true)
    #expect(read("? [1, 2]\n: 2\n").problems.first?.contains("a key is a plain name") == true)
  }

  @Test(arguments: ["!!int 3", "!mine {a: 1}", "!!binary aGk=", "!!set {a: }"])
  func tagsAreRefused(value: String) {
    let problems = read("a: \(value)\n").problems
    #expect(problems.count == 1)
    #expect(problems.first?.hasPrefix("a.yaml:1:4: tags such as ") == true, "\(problems)")
  }

  @Test func tagsThatSayWhatIsThereAreTaken() {
    #expect(read("a: !!str 3\nb: !!map {c: !!seq [1]}\nd: ! x\n").problems == [])
  }

  @Test func keysGivenTwiceAreFoundEverywhere() {
    let text = "\"é\": {b: 1, b: 2}\nc: [{dd: 1, e: 2, dd: 3, e: 4}]\nc: 3\n"
    #expect(
      read(text).problems == [
        "a.yaml:1:13: b is given twice; line 1 has it first",
        "a.yaml:2:19: dd is given twice; line 2 has it first",
        "a.yaml:2:26: e is given twice; line 2 has it first",
        "a.yaml:3:1: c is given twice; line 2 has it first",
      ])
  }

  @Test func keysThatOpenWithNoLetterAreFoundToo() {
    #expect(read("1: 1\n1: 2\n").problems.count == 1)
    #expect(read("\"\": 1\n\"\": 2\n").problems.count == 1)
  }

  @Test func aliasesAreWrittenOutOnlyWithinBounds() {
    var text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    for level in 1...9 {
      let uses = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(uses)]\n"
    }
    let problems = read(text).problems
    #expect(problems.count == 1)
    #expect(problems.first?.contains("written out the file has more than 200000 values") == true)
    // As keys they would be hashed.
    #expect(read(text + "? *a9\n: 1\n").problems.count >= 1)
  }

  @Test func nestingIsBounded() {
    for depth in [40, 900, 20_000] {
      let open = String(repeating: "[", count: depth)
      let close = String(repeating: "]", count: depth)
      let problems = read("a: \(open)\(close)\n").problems
      #expect(problems.count == 1, "\(depth)")
    }
    var text = "a0: &a0 [1]\n"
    for level in 1...40 { text += "a\(level): &a\(level) [*a\(level - 1)]\n" }
    #expect(read(text).problems.first?.contains("nested more than 32 deep") == true)
  }

  @Test func sizeIsBounded() {
    let text = String(repeating: "# a comment\n", count: 100_000)
    #expect(read(text).problems == ["a.yaml:1:1: \(YAMLDocument.tooLarge)"])
  }

  @Test func wrongSyntaxStandsAtItsPlace() {
    let problems = read("a: 1\nb: [1, 2\nc: 3\n").problems
    #expect(problems.count == 1)
    #expect(problems.first?.hasPrefix("a.yaml:3:") == true, "\(problems)")
    #expect(problems.first?.contains("not YAML") == true)
    #expect(read("a: 1\n---\nb: 2\n").problems.count == 1)
    #expect(read("a: 1\nbé: \u{7}\n").problems.first?.hasPrefix("a.yaml:2:5: not YAML") == true)
    #expect(
      read("a: \u{E02A}x\n").problems == [
        "a.yaml:1:4: private-use characters cannot be used"
      ])
  }

  @Test(arguments: ["", "\n", "# only a comment\n", "---\n"])
  func anEmptyFileIsRefused(text: String) {
    #expect(!problems(text).isEmpty)
  }

  @Test func wrongSyntaxIsTheOnlyProblem() {
    #expect(problems("a: [").count == 1)
  }

  @Test(arguments: ["[1]", "text", "3"])
  func aFileIsAMap(text: String) {
    #expect(problems(text).contains { $0.contains("a map is needed") })
  }
}

/// What anything at all makes of the reader: problems, never a crash.
@Suite struct SpecFuzzTests {
  private let alphabet = Array("{}[]:,*&!<>|-?#'\"\\ \n\t01aeé~%@`.=$\u{0}\u{FEFF}😀".unicodeScalars)

  @Test func mutatedFilesNeverCrashTheReader() {
    let original = Array(wholeFile.unicodeScalars)
    let key = PhiloxKey(2026).derived("mutations")
    for round in 0..<400 {
      var stream = PhiloxStream(key: key, stream: UInt64(round))
      var text = original
      for _ in 0...stream.integer(below: 6) {
        let start = stream.integer(below: text.count)
        let length = min(stream.integer(below: 30), text.count - start)
        switch stream.integer(below: 5) {
        case 0: text.removeSubrange(start..<start + length)
        case 1: text.insert(alphabet[stream.integer(below: alphabet.count)], at: start)
        case 2: text[start] = alphabet[stream.integer(below: alphabet.count)]
        case 3:
          let piece = Array(text[start..<start + length])
          text.insert(contentsOf: piece, at: stream.integer(below: text.count))
        default:
          let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
          let line = lines[stream.integer(below: lines.count)]
          text.insert(contentsOf: Array(line) + ["\n"], at: start)
        }
        if text.isEmpty { text = original }
      }
      let mutated = String(String.UnicodeScalarView(text))
      for line in problems(mutated) { #expect(!line.contains("\n")) }
    }
  }

  @Test func garbageIsReadQuickly() {
    let key = PhiloxKey(2026).derived("garbage")
    for round in 0..<24 {
      var stream = PhiloxStream(key: key, stream: UInt64(round))
      // Some rounds use few characters, which nest deeply.
      let few = (0..<(2 + round)).map { _ in alphabet[stream.integer(below: alphabet.count)] }
      let text = (0..<(1 << 16)).map { _ in few[stream.integer(below: few.count)] }
      #expect(!problems(String(String.UnicodeScalarView(text))).isEmpty)
    }
  }
}
