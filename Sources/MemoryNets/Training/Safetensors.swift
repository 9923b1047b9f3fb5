import Foundation

/// The safetensors format: eight bytes of header length, a JSON header, the numbers.
///
/// Source: the format section of the safetensors library's documentation.
package enum Safetensors {
  /// The parameters of a checkpoint by name, row-major, as F32 or F64; `path` is for messages.
  package static func encode(
    _ checkpoint: Checkpoint, path: String
  ) throws(CheckpointError) -> [UInt8] {
    guard let weights = checkpoint.section(named: "weights"),
      let layout = checkpoint.section(named: "layout")?.json(ParameterLayout.self)
    else { throw .foreign(path: path, problem: "has no weights") }

    let size = checkpoint.precision.size
    var entries: [String: Any] = [
      "__metadata__": ["step": String(checkpoint.step), "trial": checkpoint.identity]
    ]
    var data: [UInt8] = []
    data.reserveCapacity(weights.bytes.count)
    for parameter in layout.parameters {
      let count = parameter.shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
      let total = weights.bytes.count / size
      guard count >= 0, parameter.offset >= 0, count <= total, parameter.offset <= total - count
      else { throw .damaged(path: path, problem: "\(parameter.name) is outside of the weights") }
      let range = parameter.offset * size..<(parameter.offset + count) * size
      entries[parameter.name] =
        [
          "dtype": checkpoint.precision == .float ? "F32" : "F64",
          "shape": parameter.shape,
          "data_offsets": [data.count, data.count + range.count],
        ] as [String: Any]
      data.append(contentsOf: weights.bytes[range])
    }
    guard
      var header = try? JSONSerialization.data(
        withJSONObject: entries, options: [.sortedKeys, .withoutEscapingSlashes])
    else { throw .damaged(path: path, problem: "the names of parameters are not text") }
    while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
    var bytes = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
    bytes.append(contentsOf: header)
    bytes.append(contentsOf: data)
    return bytes
  }
}
