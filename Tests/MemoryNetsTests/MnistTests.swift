import Foundation
import MemoryNets
import TestSupport
import Testing

@Suite struct MnistTests {
  @Test func thePermutationIsTheStatedOne() {
    let permutation = MnistPixels.permutation
    #expect(permutation.sorted() == Array(0..<784))
    #expect(permutation.prefix(8) == [486, 329, 91, 284, 14, 135, 373, 181])
  }

  @Test func stepsShowThePixelsInTheirOrder() {
    var images = [UInt8](repeating: 0, count: 3 * 784)
    for i in 0..<784 { images[2 * 784 + i] = UInt8(i % 256) }
    let set = MnistSet(images: images, labels: [1, 2, 3], sizes: [1, 1, 1])
    for order in PixelOrder.allCases {
      var options = MnistPixelsOptions()
      (options.order, options.trainSize) = (order, 1)
      (options.validationSize, options.testSize) = (1, 1)
      let task = StoredTask(MnistPixels(options: options, set: set), key: PhiloxKey(1))
      let batch = BatchReader(task, batchSize: 4).evaluation(.test)[0]
      let pixels = order == .sequential ? Array(0..<784) : MnistPixels.permutation
      #expect(batch.features == pixels.map { Float($0 % 256) / 255 })
      #expect(batch.classes == [3] && batch.steps == 784 && batch.answers == 1)
    }
  }

  @Test func moreImagesThanThereAreIsRefused() {
    var options = MnistPixelsOptions()
    (options.trainSize, options.testSize) = (50_001, 0)
    #expect(options.validate().map(\.option) == ["train_size", "test_size"])
  }

  // MARK: - Files

  /// Deflated by another program: a block with its own codes, one with the fixed codes, a stored one.
  static let packed: [(text: String, gzip: String)] = [
    (
      (0..<60).map { i in
        "line \(i * i % 97) of the text, "
          + String(repeating: Array("abcdefghij")[i % 10], count: i % 7) + "\n"
      }.joined(),
      "H4sIAAAAAAACA22US3qDMAyE9zmFD9AFfmDMcQiPAF++dMOixy8JY7ceyUsJS/NrhJ/bazaN+V7Msc7mmH+OL3N7voO2"
        + "Dt6vaKij43iF+zo8TROKxDoxn+fKuLbOLO9zpTxdenwO+vea1kiytiuciGHf0aAOD8MATVTmfh607Zh7zOidE+wF32li"
        + "PakCdXRMjdHSoNZ1RR3C2M4DSQ1z7xndOsFe8Fuvye3JDWCHwNj43ArHccFLw3ElKH5DUiPgC39SN4GmBWzXMTZqJOE4"
        + "GgdpOEppfqNaL7c940er7gLJBba1jI0GUViO6lE6jrEnxXA0d3LdM7/Vp0vo8M8zNtTKXxz72UvDkWkVv5FS1r0svLq5"
        + "XGzQu2dkllscZ74/w5XXbdbnt/x/39RngY1adWczcpKO334BKhA6js0FAAA="
    ),
    ("abcabcabcabc hello", "H4sIAAAAAAACA0tMSk6EIYWM1JycfABGrBToEgAAAA=="),
    ("stored as it is", "H4sIAAAAAAAEAwEPAPD/c3RvcmVkIGFzIGl0IGlzZXjRWg8AAAA="),
  ]

  @Test(arguments: packed.indices)
  func everyKindOfBlockIsInflated(index: Int) throws {
    let bytes = [UInt8](try #require(Data(base64Encoded: Self.packed[index].gzip)))
    let text = String(decoding: try Compression.gzip.unpacked(bytes), as: UTF8.self)
    #expect(text == Self.packed[index].text)
  }

  @Test func aCutOrForeignFileIsNoGzipFile() throws {
    let bytes = [UInt8](try #require(Data(base64Encoded: Self.packed[0].gzip)))
    for length in stride(from: 0, to: bytes.count, by: 7) {
      #expect(throws: ByteStreamError.self) {
        try Compression.gzip.unpacked(Array(bytes[..<length]))
      }
    }
    #expect(throws: ByteStreamError.damaged(problem: "it is no gzip file")) {
      try Compression.gzip.unpacked([UInt8](repeating: 7, count: 100))
    }
  }

  @Test func aHeaderThatDoesNotFitIsDamaged() throws {
    func problem(_ bytes: [UInt8]) -> String? {
      do throws(TaskError) {
        _ = try MnistSet.header(bytes, path: "x")
        return nil
      } catch {
        return error.problem
      }
    }
    #expect(problem([0, 0, 8, 1, 0, 0, 0, 2, 5, 6]) == nil)
    #expect(
      problem([0, 0, 8, 1, 0, 0, 0, 3, 5, 6]) == "is damaged: it states 3 bytes and holds 2")
    #expect(problem([0, 0, 8, 2, 0, 0, 0, 3]) == "is damaged: its header ends early")
    #expect(problem([1, 0, 8]) == "is damaged: it does not begin as an idx file of bytes")
  }

  @Test func anotherFileUnderItsNameIsAltered() throws {
    let labels = [UInt8](try #require(Data(base64Encoded: Self.packed[1].gzip)))
    let root = FileManager.default.temporaryDirectory.appendingPathComponent(
      "memsweep-mnist-\(UUID().uuidString)")
    let file = root.appendingPathComponent("mnist/train-images-idx3-ubyte.gz")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: root) }
    let folder = DataFolder(path: root.path)
    #expect {
      _ = try MnistSet(from: folder)
    } throws: { error in
      "\(error)".hasPrefix(
        "\(file.path): is missing; name the folder that holds it with --data DIR")
        && "\(error)".contains("MNIST (LeCun and Cortes)")
    }
    try Data(labels).write(to: file)
    #expect {
      _ = try MnistSet(from: folder)
    } throws: { error in
      "\(error)".hasPrefix("\(file.path): is damaged: it does not begin as an idx file of bytes;")
    }
    // An idx file of two bytes, stored.
    let other: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 2, 5, 6]
    let gzip: [UInt8] =
      [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 10, 0, 0xf5, 0xff] + other + [
        0x69, 0xfd, 0x88, 0x1, 10, 0, 0, 0,
      ]
    try Data(gzip).write(to: file)
    #expect {
      _ = try MnistSet(from: folder)
    } throws: { error in
      "\(error)".hasPrefix("\(file.path): was altered: holds 2 bytes, digest ")
        && "\(error)".contains("not 60000 x 28 x 28 bytes, digest \(MnistSet.files[0].digest)")
    }
  }

  @Test(.enabled(if: RealData.isExpected, "\(RealData.skipReason)"))
  func thePublishedImagesHaveTheirKnownStatistics() throws {
    let set = try MnistSet(from: DataFolder(path: try RealData.folder()))
    func statistics(_ numbers: Range<Int>) -> (mean: Double, deviation: Double) {
      var (sum, squares) = (0, 0)
      for pixel in set.images[numbers.lowerBound * 784..<numbers.upperBound * 784] {
        sum += Int(pixel)
        squares += Int(pixel) * Int(pixel)
      }
      let count = Double(numbers.count * 784)
      let mean = Double(sum) / count / 255
      return (mean, (Double(squares) / count / 65025 - mean * mean).squareRoot())
    }
    let (train, test) = (statistics(0..<60_000), statistics(60_000..<70_000))
    #expect(abs(train.mean - 0.13066) < 1e-5 && abs(train.deviation - 0.30811) < 1e-5)
    #expect(abs(test.mean - 0.13251) < 1e-5 && abs(test.deviation - 0.31048) < 1e-5)
    #expect(Array(set.labels[..<10]) == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    #expect(Array(set.labels[60_000..<60_010]) == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    let task = StoredTask(MnistPixels(options: MnistPixelsOptions(), set: set), key: PhiloxKey(1))
    #expect(task.evaluationBatchCount(.validation, batchSize: 1000) == 10)
    // The ones of the test images.
    #expect(task.baselines.last?.value == 0.1135)
  }
}
