/// A task that cannot be made: its options, or the data files of this machine.
package enum TaskError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Options out of range.
  case options(task: String, problems: [OptionProblem])
  /// `file` is wanted and no data folder was named.
  case noDataFolder(file: String, source: String = PianoRollSet.source)
  case missingFile(path: String, source: String = PianoRollSet.source)
  /// The file is there and cannot be read; `reason` is the system's.
  case unreadableFile(path: String, reason: String)
  /// A text, or all of them, that no corpus can be made of.
  case unusableText(path: String, problem: String, remedy: String)
  /// Not a whole compressed file, or not the expected format in it.
  case damagedFile(path: String, problem: String, source: String = PianoRollSet.source)
  /// A well-formed file with other contents than the published ones.
  case alteredFile(
    path: String, found: String, expected: String, source: String = PianoRollSet.source)

  /// Where: the section of the sweep file or the data file.
  package var place: String {
    switch self {
    case .options(let task, _): "task \(task)"
    case .noDataFolder(let file, _): file
    case .missingFile(let path, _), .unusableText(let path, _, _), .unreadableFile(let path, _),
      .damagedFile(let path, _, _),
      .alteredFile(let path, _, _, _):
      path
    }
  }

  /// What is wrong.
  package var problem: String {
    switch self {
    case .options(_, let problems):
      problems.map { "\($0.option) \($0.problem)" }.joined(separator: "; ")
    case .noDataFolder: "is needed and no data folder was named"
    case .missingFile: "is missing"
    case .unusableText(_, let problem, _): problem
    case .unreadableFile(_, let reason): "cannot be read: \(reason)"
    case .damagedFile(_, let problem, _): "is damaged: \(problem)"
    case .alteredFile(_, let found, let expected, _): "was altered: holds \(found), not \(expected)"
    }
  }

  /// What would be right.
  package var remedy: String {
    switch self {
    case .options: "change these options"
    case .noDataFolder(_, let source), .missingFile(_, let source):
      "name the folder that holds it with --data DIR or MEMSWEEP_DATA; \(source)"
    case .unusableText(_, _, let remedy): remedy
    case .unreadableFile: "make it readable for this user"
    case .damagedFile(_, _, let source), .alteredFile(_, _, _, let source): "replace it; \(source)"
    }
  }

  /// `PLACE: PROBLEM; REMEDY`.
  package var description: String { "\(place): \(problem); \(remedy)" }
}
