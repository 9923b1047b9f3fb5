import MemoryNets

/// Where a setting of the sweep was written.
package enum SpecPlace: Hashable, Sendable {
  /// From 1; columns count characters.
  case file(line: Int, column: Int)
  /// The argument as it was given.
  case commandLine(String)
}

/// One thing that is wrong with a sweep file or with what the command line makes of it.
package struct SpecProblem: Hashable, Sendable, CustomStringConvertible {
  /// The name of the file as it was given.
  package let file: String
  package let place: SpecPlace
  /// The setting: `methods.lstm.model.cell`; empty when it is the file as a whole.
  package let path: String
  /// What is wrong and what would be right.
  package let message: String

  package init(file: String, place: SpecPlace, path: String, message: String) {
    self.file = file
    self.place = place
    self.path = path
    self.message = message
  }

  /// `sweeps/wtt.yaml:14:5: model.size: no such option; ...`, on one line.
  package var description: String {
    let start =
      switch place {
      case .file(let line, let column): "\(file):\(line):\(column): "
      case .commandLine(let argument): "command line: \(argument): "
      }
    let isNamed: Bool =
      switch place {
      case .file: path.isEmpty
      case .commandLine(let argument):
        // `base.` and `parameters.` are where the argument was put, not what the user wrote.
        path.isEmpty || ".\(path)".hasSuffix(".\(argument.prefix { $0 != "=" })")
      }
    let text = start + (isNamed ? "" : path + ": ") + message
    return text.map { $0.isNewline ? " " : String($0) }.joined()
  }
}

/// All that is wrong with a sweep file, in the order of the file.
package struct SpecErrors: Error, Hashable, Sendable, CustomStringConvertible {
  package var problems: [SpecProblem]

  package init(problems: [SpecProblem]) {
    self.problems = problems
  }

  /// One line a problem.
  package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Collects problems while a sweep file is read and checked; says each only once.
package final class ProblemList {
  package let file: String
  package private(set) var problems: [SpecProblem] = []
  private var seen: Set<SpecProblem> = []
  /// Sections whose ranges were found right; many combinations share them.
  private var good: Set<OptionDictionary> = []
  /// More than this many would bury the first.
  private let limit = 100

  package init(file: String) {
    self.file = file
  }

  package var isEmpty: Bool { problems.isEmpty }
  package var isFull: Bool { problems.count >= limit }

  package func add(_ place: SpecPlace, _ path: String, _ message: String) {
    let problem = SpecProblem(file: file, place: place, path: path, message: message)
    guard !isFull, seen.insert(problem).inserted else { return }
    problems.append(problem)
  }

  func isKnownGood(_ sections: ResolvedSections) -> Bool {
    SpecSection.allCases.allSatisfy { good.contains(sections[$0]) }
  }

  func noteGood(_ sections: ResolvedSections) {
    for section in SpecSection.allCases { good.insert(sections[section]) }
  }

  /// Throws all there are, those of the file in its order first.
  package func throwIfAny() throws(SpecErrors) {
    guard !problems.isEmpty else { return }
    func position(_ problem: SpecProblem) -> (Int, Int) {
      switch problem.place {
      case .file(let line, let column): (line, column)
      case .commandLine: (.max, 0)
      }
    }
    let order = problems.enumerated().sorted {
      (position($0.element).0, position($0.element).1, $0.offset)
        < (position($1.element).0, position($1.element).1, $1.offset)
    }
    throw SpecErrors(problems: order.map(\.element))
  }
}
