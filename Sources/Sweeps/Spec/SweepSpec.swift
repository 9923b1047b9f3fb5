import Foundation
import MemoryNets

/// A method of the sweep, a row of its table: what it fixes and what it varies by itself.
package struct MethodSpec: Sendable {
  package let name: String
  package let place: SpecPlace
  /// Values that hold for this method, over those of `base`.
  package var constants: [String: SpecValue]
  package var dimensions: [Dimension]
  /// What the method itself says of its ranks.
  package var resources: MethodResources?
  /// Where it does.
  var resourcesPlace: SpecPlace?
}

/// `resources:` of a method.
package struct MethodResources: Options, Hashable {
  package var ranksPerTrial = 1

  package init() {}

  package func validate() -> [OptionProblem] { ResourceSettings.problems(ranks: ranksPerTrial) }
}

/// A sweep file, read and checked.
package struct SweepSpec: Sendable {
  /// The name of the file as it was given.
  package let file: String
  package var name: String
  /// Values of every trial by path, from `task` and `base`.
  package var base: [String: SpecValue]
  package var methods: [MethodSpec]
  /// Dimensions of all methods, in the order of the file.
  package var dimensions: [Dimension]
  package var zips: [Factor]
  package var exclusions: [Condition]
  package var seeds: SeedSettings
  package var metric: MetricGoal
  let metricPlace: SpecPlace
  package var search: SearchSettings
  package var resources: ResourceSettings
  package var dataParallel: DataParallelSettings
  /// Whether the file says something of ranks or shards that holds for every method.
  let saysDataParallel: Bool
  let ranksPlace: SpecPlace
  package var retry: RetrySettings
  package var checkpoint: CheckpointSettings
  /// The folder of the results, relative to the current folder.
  package var outputDirectory: String
  package let vocabulary: SpecVocabulary
  let schemas: SpecSchemas

  /// The version of the file format that this program reads.
  package static let schemaVersion = 1

  /// Reads and checks a sweep file with the settings of the command line.
  ///
  /// `overrides` are `path=value` or `path=value,value`; `methods` keeps only these. Throws all that
  /// is wrong at once.
  package static func load(
    path: String, overrides: [String] = [], methods: [String]? = nil, vocabulary: SpecVocabulary
  ) throws(SpecErrors) -> SweepSpec {
    let problems = ProblemList(file: path)
    var text = ""
    switch contents(path) {
    case .success(let contents): text = contents
    case .failure(let error):
      problems.add(.file(line: 1, column: 1), "", error.reason)
      try problems.throwIfAny()
    }
    return try SweepSpec(
      yaml: text, file: path, overrides: overrides, methods: methods, vocabulary: vocabulary)
  }

  private struct Unreadable: Error {
    let reason: String
  }

  private static func contents(_ path: String) -> Result<String, Unreadable> {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      return .failure(Unreadable(reason: "there is no such file"))
    }
    guard !isFolder.boolValue else {
      return .failure(Unreadable(reason: "is a folder; a sweep file is needed"))
    }
    guard let handle = FileHandle(forReadingAtPath: path),
      let data = try? handle.read(upToCount: YAMLDocument.maximumBytes + 1)
    else { return .failure(Unreadable(reason: "cannot be read")) }
    guard data.count <= YAMLDocument.maximumBytes else {
      return .failure(Unreadable(reason: YAMLDocument.tooLarge))
    }
    guard let text = String(bytes: data, encoding: .utf8) else {
      return .failure(Unreadable(reason: "is not UTF-8 text"))
    }
    return .success(text)
  }
}
