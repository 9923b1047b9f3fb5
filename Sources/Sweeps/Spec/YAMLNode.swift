/// A node of a sweep file: text, a list or a map, with its place.
///
/// Aliases and merges are resolved; what a text means is for the schema to say.
package struct YAMLNode: Sendable {
  package indirect enum Content: Sendable {
    /// `isPlain` when it stands without quotation marks.
    case text(String, isPlain: Bool)
    case list([YAMLNode])
    case map([YAMLEntry])
  }

  package var place: SpecPlace
  package var content: Content

  package var text: String? {
    if case .text(let text, _) = content { return text }
    return nil
  }

  package var list: [YAMLNode]? {
    if case .list(let nodes) = content { return nodes }
    return nil
  }

  /// The entries of a map; a value left out is an empty map.
  package var entries: [YAMLEntry]? {
    switch content {
    case .map(let entries): entries
    case .text("", isPlain: true): []
    default: nil
    }
  }

  /// `is a list`, for messages.
  package var kind: String {
    switch content {
    case .text("", isPlain: true): "is empty"
    case .text(let text, _): "is \"\(text.prefix(60))\""
    case .list: "is a list"
    case .map: "is a map"
    }
  }

  package subscript(key: String) -> YAMLEntry? { entries?.first { $0.key == key } }

  package static func map(_ entries: [YAMLEntry], at place: SpecPlace) -> YAMLNode {
    YAMLNode(place: place, content: .map(entries))
  }
}

/// A key of a map, with its place, and its value.
package struct YAMLEntry: Sendable {
  package var key: String
  package var place: SpecPlace
  package var value: YAMLNode
}

extension YAMLNode {
  /// The value at a path of keys, if it is there.
  package func value(at path: some Collection<String>) -> YAMLNode? {
    guard let key = path.first else { return self }
    return self[key]?.value.value(at: path.dropFirst())
  }

  /// Puts `value` at a path of keys, making maps as needed; what stands in the way is replaced.
  package mutating func set(_ value: YAMLNode, at path: some Collection<String>) {
    guard let key = path.first else {
      self = value
      return
    }
    var entries = self.entries ?? []
    let index =
      entries.firstIndex { $0.key == key }
      ?? {
        let place = value.place
        entries.append(YAMLEntry(key: key, place: place, value: .map([], at: place)))
        return entries.count - 1
      }()
    entries[index].value.set(value, at: path.dropFirst())
    if path.count == 1 { entries[index].place = value.place }
    content = .map(entries)
  }

  /// Removes what stands at a dotted path, however its segments are spread over nested keys, and
  /// returns it.
  @discardableResult mutating func remove(_ path: String) -> YAMLNode? {
    guard var entries = self.entries else { return nil }
    for index in entries.indices {
      let key = entries[index].key
      if key == path {
        let removed = entries.remove(at: index)
        content = .map(entries)
        return removed.value
      }
      guard path.hasPrefix(key + ".") else { continue }
      let rest = String(path.dropFirst(key.count + 1))
      if let removed = entries[index].value.remove(rest) {
        if entries[index].value.entries?.isEmpty == true { entries.remove(at: index) }
        content = .map(entries)
        return removed
      }
    }
    return nil
  }
}
