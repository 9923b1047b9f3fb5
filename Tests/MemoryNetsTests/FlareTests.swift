import Foundation
import MemoryNets
import TestSupport
import Testing

@Suite struct FlareTests {
  @Test func tokensAreNumberedByTheirText() {
    var data = FlareData()
    let fits = data.append(
      Array("b a\n\na c\n".utf8)[...], Array("1\n0\n1\n".utf8)[...], to: .train)
    data.nameTokens()
    #expect(fits && data.vocabulary == ["a", "b", "c"])
    #expect(data[.train].tokens == [1, 0, 0, 2])
    #expect(data[.train].lengths == [2, 0, 2])
    #expect(data[.train].labels == [1, 0, 1])
  }

  @Test func labelsThatDoNotFitAreRefused() {
    var data = FlareData()
    let few = data.append(Array("a\nb\n".utf8)[...], Array("1\n".utf8)[...], to: .train)
    let other = data.append(Array("a\n".utf8)[...], Array("2\n".utf8)[...], to: .train)
    #expect(!few && !other)
  }

  @Test func anAbsentArchiveIsNamedWithItsSource() throws {
    let folder = try TemporaryFolder()
    #expect(throws: TaskError.noDataFolder(file: FlareArchive.file, source: FlareArchive.source)) {
      try FlareArchive(from: DataFolder(path: nil))
    }
    do {
      _ = try FlareArchive(from: DataFolder(path: folder.path))
      Issue.record("an empty folder was read")
    } catch {
      #expect(error.description.contains("is missing"))
      #expect(error.description.contains("github.com/rycolab/flare"))
    }
  }

  @Test(.enabled(if: RealData.isExpected, "\(RealData.skipReason)"))
  func languagesHaveTheirPublishedSizes() throws {
    let archive = try FlareArchive(from: DataFolder(path: try RealData.folder()))
    for language in FlareLanguage.allCases {
      let data = try archive.strings(of: language)
      let counts = FlareData.SetName.allCases.map { data[$0].count }
      let short = language == .repeat01 ? 0 : 1000
      let long = language == .stackManipulation ? 0 : 5010
      #expect(counts == [10_000, 1000, 1000, short, long], "\(language)")
      #expect(data[.train].lengths.max() == 40)
      #expect(data[.validationLong].lengths.max() == 80)
      #expect(long == 0 || data[.testLong].lengths.max() == 500)
    }
    let dyck = try archive.strings(of: .dyck23)
    #expect(dyck.vocabulary == ["(0", "(1", ")0", ")1"])
    #expect(dyck[.train].labels.reduce(0, +) == 5061)
  }

  @Test(.enabled(if: RealData.isExpected, "\(RealData.skipReason)"))
  func theTaskShowsTheArchivesStrings() throws {
    let kind = try #require(TaskRegistry.kind(named: "flare"))
    let task = try kind.make(
      FlareOptions(), PhiloxKey(1), DataFolder(path: try RealData.folder()))
    #expect(task.shape.maximumSteps == 501 && task.shape.maximumTrainingSteps == 41)
    #expect(task.parts(of: .test) == ["short", "long"])
    let reader = BatchReader(task, batchSize: 100)
    let members = reader.evaluation(.train).reduce(0) { $0 + $1.classes.reduce(0, +) }
    #expect(members == 5061)
    #expect(task.baselines.first?.value == 0.503)
  }
}
