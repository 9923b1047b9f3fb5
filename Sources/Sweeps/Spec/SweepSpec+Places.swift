extension SweepSpec {
  /// Where the file, or the command line, says something of `path`; of a section its first word.
  func place(of path: String) -> SpecPlace {
    if path == "metric.name" { return metricPlace }
    var said: [(path: String, place: SpecPlace)] = []
    for method in methods {
      said += method.constants.map { ($0.key, $0.value.place) }
      said += method.dimensions.map { ($0.path, $0.place) }
    }
    said += dimensions.map { ($0.path, $0.place) }
    said += zips.flatMap(\.dimensions).map { ($0.path, $0.place) }
    said += base.map { ($0.key, $0.value.place) }
    let exact = said.filter { $0.path == path }
    let related = exact.isEmpty ? said.filter { $0.path.hasPrefix(path + ".") } : exact
    return related.map(\.place).min() ?? .file(line: 1, column: 1)
  }
}

extension SpecPlace: Comparable {
  /// In reading order; the command line comes after the file.
  package static func < (a: SpecPlace, b: SpecPlace) -> Bool {
    switch (a, b) {
    case (.file(let lineA, let columnA), .file(let lineB, let columnB)):
      (lineA, columnA) < (lineB, columnB)
    case (.file, .commandLine): true
    case (.commandLine, .file): false
    case (.commandLine(let a), .commandLine(let b)): a < b
    }
  }
}
