import Foundation
import TestSupport
import Testing

extension EndToEnd {
  @Suite(.timeLimit(.minutes(5))) struct OutputDirectoryTests {
    @Test func directoryInUseNamesItsOwner() throws {
      let sweep = try SmallSweep(steps: 100 * SmallSweep.longSteps)
      let owner = try sweep.start(ranks: 2)
      let store = owner.wait { !storeFiles(in: sweep.output).isEmpty }
      #expect(store, "\(owner.errorSoFar)")
      let refused = try sweep.run()
      #expect(refused.status == 74, "\(refused)")
      #expect(refused.error.contains(ProcessInfo.processInfo.hostName), "\(refused)")
      #expect(owner.isRunning, "\(owner.errorSoFar)")
      owner.send(SIGUSR1)
      _ = owner.wait(timeout: 60)
      #expect(sweep.exitStatus == 75)
    }

    @Test func deadOwnersDirectoryIsTakenOver() throws {
      let sweep = try SmallSweep(steps: SmallSweep.longSteps)
      let owner = try sweep.start(ranks: 3)
      owner.wait { !storeFiles(in: sweep.output).isEmpty }
      owner.kill()
      let next = try sweep.run(ranks: 3)
      #expect(next.status == 0, "\(next)")
    }

    @Test func fileInPlaceOfTheDirectoryIsStatus74() throws {
      let sweep = try SmallSweep()
      try sweep.folder.write("not a folder", to: "out")
      let outcome = try sweep.run()
      #expect(outcome.status == 74, "\(outcome)")
      #expect(outcome.error.contains(sweep.output))
      #expect(sweep.folder.text("out") == "not a folder")
    }

    @Test func damagedStoreIsStatus74AndLeftAsItIs() throws {
      let sweep = try SmallSweep(seeds: 1)
      let first = try sweep.run()
      #expect(first.status == 0, "\(first)")
      let store = try #require(storeFiles(in: sweep.output).first)
      var bytes = try #require(sweep.folder.bytes("out/\(store)"))
      for i in 100..<min(bytes.count, 4096) { bytes[i] ^= 0x5a }
      try Data(bytes).write(to: URL(fileURLWithPath: "\(sweep.output)/\(store)"))
      let outcome = try sweep.run()
      #expect(outcome.status == 74, "\(outcome)")
      #expect(outcome.error.contains(store), "\(outcome)")
    }

    /// A sweep that was begun with fewer instructions goes on with these, alone and under MPI.
    @Test func aSweepGoesOnWithItsInstructions() throws {
      let sweep = try SmallSweep(seeds: 1)
      let first = try sweep.run(["--instruction-set", "baseline"])
      #expect(first.status == 0, "\(first)")
      for ranks in [nil, 2] {
        let again = try sweep.run(ranks: ranks)
        #expect(again.status == 0, "\(again)")
        #expect(!(again.output + again.error).contains("not part of the sweep"), "\(again)")
      }
      guard try sweep.run(["--instruction-set", "avx2"]).status == 0 else { return }
      let other = try sweep.run()
      #expect((other.output + other.error).contains("2 stored results are not part"), "\(other)")
    }

    /// The names of the SQLite files in `directory`.
    private func storeFiles(in directory: String) -> [String] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
      return names.filter { name in
        let bytes = FileManager.default.contents(atPath: "\(directory)/\(name)") ?? Data()
        return bytes.starts(with: Data("SQLite format 3".utf8))
      }.sorted()
    }
  }
}
