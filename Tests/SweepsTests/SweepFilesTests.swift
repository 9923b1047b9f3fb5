import Foundation
import MemoryNets
import Sweeps
import TestSupport
import Testing

/// The studies in `sweeps/`.
@Suite struct SweepFilesTests {
  private static let folder = Program.packageFolder + "/sweeps"
  private static let files =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    .filter { $0.hasSuffix(".yaml") }.sorted()

  @Test func thereAreStudies() {
    #expect(Self.files.contains("wtt.yaml") && Self.files.count >= 11)
  }

  @Test(arguments: files)
  func aStudyOpensWithQuestionSourceAndCostAndIsAccepted(file: String) throws {
    let path = Self.folder + "/" + file
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let head = text.split(separator: "\n").prefix { $0.hasPrefix("#") }.joined(separator: "\n")
    #expect(head.hasPrefix("# Question: "))
    #expect(head.contains("\n# Source: ") && head.contains("\n# Cost: "))
    let spec = try SweepSpec.load(
      path: path, vocabulary: .standard(train: TrainOptions()))
    #expect(spec.name + ".yaml" == file)
  }
}
