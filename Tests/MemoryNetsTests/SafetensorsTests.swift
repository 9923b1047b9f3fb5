import Foundation
import MemoryNets
import Testing

@Suite struct SafetensorsTests {
  @Test(arguments: Precision.allCases)
  func theHeaderDescribesContiguousTensors(precision: Precision) throws {
    let checkpoint = CheckpointTests.checkpoint(precision: precision)
    let bytes = try Safetensors.encode(checkpoint, path: "x")
    let length = bytes.withUnsafeBytes { Int(UInt64(littleEndian: $0.load(as: UInt64.self))) }
    #expect(length % 8 == 0)
    let header = try #require(
      JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: [String: Any]])
    #expect(Set(header.keys) == ["__metadata__", "layer0.W_x", "readout.b"])
    let size = precision.size
    #expect(header["layer0.W_x"]?["dtype"] as? String == (size == 4 ? "F32" : "F64"))
    #expect(header["layer0.W_x"]?["shape"] as? [Int] == [2, 5])
    #expect(header["layer0.W_x"]?["data_offsets"] as? [Int] == [0, 10 * size])
    #expect(header["readout.b"]?["data_offsets"] as? [Int] == [10 * size, 19 * size])
    let weights = try #require(checkpoint.section(named: "weights"))
    #expect(weights.bytes.elementsEqual(bytes[(8 + length)...]))
    let metadata = try #require(header["__metadata__"] as? [String: String])
    #expect(metadata == ["step": "7", "trial": CheckpointTests.identity])
  }

  @Test func aCheckpointWithoutWeightsIsRefused() {
    let empty = Checkpoint(identity: CheckpointTests.identity, step: 0, precision: .float)
    #expect(throws: CheckpointError.foreign(path: "x", problem: "has no weights")) {
      try Safetensors.encode(empty, path: "x")
    }
  }

  /// Reads the file back with the public Python package, where there is one.
  @Test(arguments: Precision.allCases)
  func thePythonPackageReadsTheSameNumbers(precision: Precision) throws {
    guard try python("import numpy, safetensors.numpy").status == 0 else {
      print("skipped: python3 has no packages numpy and safetensors")
      return
    }
    let folder = try TemporaryFolder()
    let checkpoint = CheckpointTests.checkpoint(precision: precision)
    let path = folder.path + "/weights.safetensors"
    try DiskFileSystem().replace(path, with: Safetensors.encode(checkpoint, path: "x"))
    let (status, output) = try python(
      """
      import json, sys
      from safetensors.numpy import load_file
      from safetensors import safe_open
      tensors = load_file(sys.argv[1])
      with safe_open(sys.argv[1], "np") as file: metadata = file.metadata()
      print(json.dumps({
        "names": sorted(tensors), "shape": tensors["layer0.W_x"].shape,
        "type": str(tensors["layer0.W_x"].dtype), "step": metadata["step"],
        "numbers": [float(x) for n in ("layer0.W_x", "readout.b") for x in tensors[n].ravel()]}))
      """, path)
    #expect(status == 0)
    struct Report: Decodable {
      let names: [String]
      let shape: [Int]
      let type: String
      let step: String
      let numbers: [Double]
    }
    let report = try JSONDecoder().decode(Report.self, from: Data(output.utf8))
    #expect(report.names == ["layer0.W_x", "readout.b"])
    #expect(report.shape == [2, 5])
    #expect(report.type == (precision == .float ? "float32" : "float64"))
    #expect(report.step == "7")
    let weights = try #require(checkpoint.section(named: "weights"))
    #expect(
      report.numbers == UnsafeMutableRawBufferPointer(mutating: weights.bytes).doubles(precision))
  }

  private func python(
    _ program: String, _ argument: String = ""
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program, argument]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }
}
