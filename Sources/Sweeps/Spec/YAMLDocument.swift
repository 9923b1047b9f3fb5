import MemoryNets
import Yams

/// Reads YAML into nodes with places, within bounds on size, depth and expansion.
///
/// The parser resolves aliases by copying, which loses where they stand and lets a small file
/// describe an exponentially large one, and it stops at the first duplicate key. So it is shown the
/// text with two kinds of characters exchanged for private ones that are put back afterwards: every
/// `*`, which makes an alias a text that is resolved here, and the first letter of a key
/// that is given twice, which lets it go on to the next.
package struct YAMLDocument {
  package static let maximumBytes = 1 << 20
  package static let maximumDepth = 32
  package static let tooLarge =
    "is larger than \(maximumBytes) bytes; a sweep file is read up to there"
  package static let maximumNodes = 200_000

  /// Nil for an empty document.
  package private(set) var root: YAMLNode?
  private let problems: ProblemList
  private var anchors: [String: YAMLNode] = [:]
  private var nodeCount = 0
  private var hasOverflowed = false
  /// The characters that stand for first letters of keys given twice.
  private var letters: [Unicode.Scalar: Unicode.Scalar] = [:]
  private let argument: String?

  private static let aliasMark: Unicode.Scalar = "\u{E02A}"
  private static let privateMarks: ClosedRange<Unicode.Scalar> = "\u{E000}"..."\u{E1FF}"
  private static let firstLetterMark: UInt32 = 0xE100

  /// Reads `text`.
  ///
  /// What is wrong goes to `problems`. With `argument`, every place is that argument of the
  /// command line.
  package init(_ text: String, argument: String? = nil, problems: ProblemList) {
    self.problems = problems
    self.argument = argument
    guard text.utf8.count <= Self.maximumBytes else {
      add(1, 1, Self.tooLarge)
      return
    }
    var scalars = Array(text.unicodeScalars)
    for (index, scalar) in scalars.enumerated() where Self.privateMarks.contains(scalar) {
      let before = scalars[..<index]
      let line = before.count { $0 == "\n" } + 1
      let column = index - (before.lastIndex(of: "\n").map { $0 + 1 } ?? 0) + 1
      add(line, column, "private-use characters cannot be used")
      return
    }
    for index in scalars.indices where scalars[index] == "*" { scalars[index] = Self.aliasMark }
    // The parser keeps the parsed text's anchors alive: conversion is within its lifetime.
    guard let parser = parse(&scalars) else { return }
    withExtendedLifetime(parser.parser) {
      if let node = parser.root { root = convert(node, depth: 0) }
    }
  }

  private mutating func parse(_ scalars: inout [Unicode.Scalar]) -> (parser: Parser, root: Node?)? {
    while true {
      // Blank lines at the end keep the text out of the small-string form, whose bytes have no
      // address that the parser could hold.
      var text = String(String.UnicodeScalarView(scalars)) + "\n                \n"
      text.makeContiguousUTF8()
      do {
        let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
        return (parser, try parser.singleRoot())
      } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
        guard hideFirstLetter(of: context.mark, in: &scalars) else {
          let name = keys.first.map(restored) ?? "a key"
          add(context.mark.line, context.mark.column, "\(name) is given twice")
          return nil
        }
      } catch {
        report(error)
        return nil
      }
    }
  }

  /// Exchanges the first letter of the key at `mark`, the first of several; false when it cannot.
  private mutating func hideFirstLetter(of mark: Mark, in scalars: inout [Unicode.Scalar]) -> Bool {
    guard letters.count < 64, mark.line >= 1 else { return false }
    var start = 0
    for _ in 1..<mark.line {
      guard let end = scalars[start...].firstIndex(of: "\n") else { return false }
      start = end + 1
    }
    var index = start + mark.column - 1
    guard index < scalars.count else { return false }
    if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
    guard index < scalars.count, scalars[index].properties.isAlphabetic,
      let mark = Unicode.Scalar(Self.firstLetterMark + UInt32(letters.count))
    else { return false }
    letters[mark] = scalars[index]
    scalars[index] = mark
    return true
  }

  private func restored(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: Self.privateMarks.contains) else { return text }
    let scalars = text.unicodeScalars.map { $0 == Self.aliasMark ? "*" : letters[$0] ?? $0 }
    return String(String.UnicodeScalarView(scalars))
  }

  // MARK: - Conversion

  private mutating func convert(_ node: Node, depth: Int) -> YAMLNode {
    let place = place(node.mark)
    let nothing = YAMLNode(place: place, content: .text("", isPlain: true))
    guard depth < Self.maximumDepth else {
      overflow(place, "is nested more than \(Self.maximumDepth) deep")
      return nothing
    }
    guard count(1, at: place) else { return nothing }
    let result: YAMLNode
    switch node {
    case .alias: return nothing
    case .scalar(let scalar):
      if scalar.style == .plain, scalar.string.unicodeScalars.first == Self.aliasMark {
        return alias(String(scalar.string.dropFirst()), at: place, depth: depth)
      }
      check(node, place, standard: .str)
      let text = restored(scalar.string)
      result = YAMLNode(place: place, content: .text(text, isPlain: scalar.style == .plain))
    case .sequence(let sequence):
      check(node, place, standard: .seq)
      result = YAMLNode(
        place: place, content: .list(sequence.map { convert($0, depth: depth + 1) }))
    case .mapping(let mapping):
      check(node, place, standard: .map)
      result = .map(entries(mapping, depth: depth), at: place)
    }
    if let anchor = node.anchor { anchors[anchor.rawValue] = result }
    return result
  }

  private mutating func entries(_ mapping: Node.Mapping, depth: Int) -> [YAMLEntry] {
    var entries: [YAMLEntry] = []
    var places: [String: SpecPlace] = [:]
    var merged: [YAMLEntry] = []
    for (keyNode, valueNode) in mapping {
      let keyPlace = place(keyNode.mark)
      guard case .scalar(let scalar) = keyNode,
        scalar.style != .plain || scalar.string.unicodeScalars.first != Self.aliasMark
      else {
        problems.add(keyPlace, "", "a key is a plain name here, not a list, a map or an alias")
        continue
      }
      check(keyNode, keyPlace, standard: .str)
      let key = restored(scalar.string)
      let value = convert(valueNode, depth: depth + 1)
      if let first = places[key] {
        let line = if case .file(let line, _) = first { "; line \(line) has it first" } else { "" }
        problems.add(keyPlace, "", "\(key) is given twice\(line)")
        continue
      }
      places[key] = keyPlace
      if key == "<<", scalar.style == .plain {
        merged += merge(value)
      } else {
        entries.append(YAMLEntry(key: key, place: keyPlace, value: value))
      }
    }
    for entry in merged where places[entry.key] == nil {
      places[entry.key] = entry.place
      entries.append(entry)
    }
    return entries
  }

  /// The entries that `<<` adds: those of a map, or of a list of maps, the first first.
  private func merge(_ node: YAMLNode) -> [YAMLEntry] {
    switch node.content {
    case .map(let entries): return entries
    case .list(let nodes):
      return nodes.flatMap { node in
        if case .map(let entries) = node.content { return entries }
        problems.add(node.place, "", "<< merges maps; this \(node.kind)")
        return []
      }
    case .text:
      problems.add(node.place, "", "<< merges a map or a list of maps; this \(node.kind)")
      return []
    }
  }

  private mutating func alias(_ name: String, at place: SpecPlace, depth: Int) -> YAMLNode {
    let nothing = YAMLNode(place: place, content: .text("", isPlain: true))
    guard !hasOverflowed else { return nothing }
    guard let node = anchors[name] else {
      let suggestion = OptionSchema.suggestion(for: name, among: anchors.keys.sorted())
      problems.add(place, "", "no anchor &\(restored(name)) stands before; \(suggestion)")
      return nothing
    }
    let extent = node.extent
    if depth + extent.height > Self.maximumDepth {
      overflow(place, "is nested more than \(Self.maximumDepth) deep with its aliases written out")
    }
    return count(extent.size, at: place) ? node : nothing
  }

  // MARK: - Bounds and problems

  private mutating func count(_ nodes: Int, at place: SpecPlace) -> Bool {
    nodeCount += nodes
    if nodeCount > Self.maximumNodes {
      overflow(
        place, "with its aliases written out the file has more than \(Self.maximumNodes) values")
    }
    return !hasOverflowed
  }

  private mutating func overflow(_ place: SpecPlace, _ message: String) {
    if !hasOverflowed { problems.add(place, "", message) }
    hasOverflowed = true
  }

  /// Refuses tags other than those that say what is there anyway.
  private func check(_ node: Node, _ place: SpecPlace, standard: Tag.Name) {
    let name = tagName(of: node)
    if name.isEmpty || name == "!" || name == standard.rawValue { return }
    problems.add(place, "", "tags such as \(restored(name)) cannot be used; remove it")
  }

  private func tagName(of node: Node) -> String {
    switch node {
    case .scalar(let scalar): scalar.tag.rawValue
    case .sequence(let sequence): sequence.tag.rawValue
    case .mapping(let mapping): mapping.tag.rawValue
    case .alias: ""
    }
  }

  private func place(_ mark: Mark?) -> SpecPlace {
    place(line: mark?.line ?? 1, column: mark?.column ?? 1)
  }

  private func place(line: Int, column: Int) -> SpecPlace {
    argument.map(SpecPlace.commandLine) ?? .file(line: line, column: column)
  }

  private func add(_ line: Int, _ column: Int, _ message: String) {
    problems.add(place(line: line, column: column), "", message)
  }

  private func report(_ error: any Error) {
    switch error {
    case YamlError.scanner(let context, let problem, let mark, _),
      YamlError.parser(let context, let problem, let mark, _),
      YamlError.composer(let context, let problem, let mark, _):
      let context = context.map { "\($0.text) (line \($0.mark.line)): " } ?? ""
      add(mark.line, mark.column, "not YAML: \(context)\(problem)")
    case YamlError.reader(let problem, let offset, _, let text):
      let before = text.prefix(offset ?? 0)
      let line = before.count { $0.isNewline } + 1
      let column =
        before.count
        - (before.lastIndex(where: \.isNewline).map {
          before.distance(from: before.startIndex, to: $0) + 1
        } ?? 0) + 1
      add(line, column, "not YAML: \(problem)")
    default: add(1, 1, "not YAML: \(error)")
    }
  }
}

extension YAMLNode {
  /// The number of nodes, itself included, and how many stand within each other at most.
  fileprivate var extent: (size: Int, height: Int) {
    let children: [YAMLNode] =
      switch content {
      case .text: []
      case .list(let nodes): nodes
      case .map(let entries): entries.map(\.value)
      }
    return children.map(\.extent).reduce((1, 1)) { ($0.0 + $1.size, max($0.1, $1.height + 1)) }
  }
}
