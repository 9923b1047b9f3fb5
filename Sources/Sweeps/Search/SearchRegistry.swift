/// A way to go through the space of configurations.
package struct SearchKind: Sendable {
  package let name: String
  /// One sentence for `memsweep list`.
  package let summary: String
}

/// The values of `search.method`.
package enum SearchRegistry {
  package static let all = [
    SearchKind(
      name: "grid",
      summary: "Every combination of the values, each with every seed."),
    SearchKind(
      name: "random",
      summary: "As many draws as trials says for each method, each with every seed."),
  ]

  package static var names: [String] { all.map(\.name) }
}
