import Foundation
import MemoryNets
import Testing

/// Reference files made by PyTorch in float64; recipe beside them.
let referenceFiles: [String] = {
  let folder = Bundle.module.bundleURL.appendingPathComponent("Fixtures/reference")
  let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
  return names.filter { $0.hasSuffix(".json") }.sorted().map {
    folder.appendingPathComponent($0).path
  }
}()

@Suite struct CellReferenceTests {
  @Test func everyCellHasAReference() throws {
    var covered: Set<String> = []
    for file in referenceFiles { covered.insert(try CellReference(contentsOf: file).cell) }
    #expect(covered == Set(CellRegistry.all.map(\.name)))
  }

  @Test(arguments: referenceFiles, InstructionSet.available)
  func doubleAgreesWithTheReference(file: String, level: InstructionSet) throws {
    let reference = try CellReference(contentsOf: file)
    for (name, error) in try reference.errors(path: file, instructionSet: level) {
      #expect(error <= 1e-9, "\(name) of \(file)")
    }
  }

  @Test(arguments: referenceFiles, InstructionSet.available)
  func floatAgreesWithTheReference(file: String, level: InstructionSet) throws {
    let reference = try CellReference(contentsOf: file)
    let errors = try reference.errors(path: file, precision: .float, instructionSet: level)
    let largest = reference.gradients.values.flatMap(\.values).map(abs).max() ?? 1
    for (name, error) in errors {
      #expect(error <= 1e-5 * max(1, largest), "\(name) of \(file)")
    }
  }

  @Test(arguments: referenceFiles)
  func eachPassAgreesWithItsAbsence(file: String) throws {
    let reference = try CellReference(contentsOf: file)
    for pass in PlanPass.allCases {
      for (name, error) in try reference.errors(path: file, disabledPasses: [pass]) {
        #expect(error <= 1e-9, "\(name) of \(file) without \(pass)")
      }
    }
    let none = try reference.errors(path: file, disabledPasses: Set(PlanPass.allCases))
    for (name, error) in none { #expect(error <= 1e-9, "\(name) of \(file) without passes") }
  }
}
