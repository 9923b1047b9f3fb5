/// Why a text is not a set of piano-rolls.
package struct PianoRollSyntaxError: Error, Hashable, CustomStringConvertible {
  /// Bytes before the place.
  package let offset: Int
  package let problem: String

  package var description: String { "\(problem) at byte \(offset)" }
}

/// Reads `{"train": [[[60, 64], [], ...], ...], "valid": ..., "test": ...}`: in each split the
/// sequences, in each sequence the frames, in each frame the MIDI notes 21...108.
///
/// Only this shape of JSON, in one pass: the largest set is 5 MB and every rank reads it.
package struct PianoRollParser {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0

  package static func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(PianoRollSyntaxError)
    -> PianoRollData
  {
    var parser = PianoRollParser(bytes: bytes)
    return try parser.data()
  }

  private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  private mutating func data() throws(PianoRollSyntaxError) -> PianoRollData {
    var data = PianoRollData()
    var found: Set<String> = []
    try expect("{")
    while true {
      let start = position
      let name = try string()
      guard found.insert(name).inserted else { throw failure("a second \"\(name)\"", at: start) }
      try expect(":")
      switch name {
      case "train": data.train = try rolls()
      case "valid": data.validation = try rolls()
      case "test": data.test = try rolls()
      default: throw failure("\"\(name)\" is none of train, valid and test", at: start)
      }
      guard accept(",") else { break }
    }
    try expect("}")
    for name in ["train", "valid", "test"] where !found.contains(name) {
      throw failure("no \"\(name)\"", at: position)
    }
    skipSpace()
    guard position == bytes.count else { throw failure("more text", at: position) }
    return data
  }

  private mutating func rolls() throws(PianoRollSyntaxError) -> PianoRolls {
    var rolls = PianoRolls()
    let start = position
    try expect("[")
    guard !accept("]") else { throw failure("an empty split", at: start) }
    repeat {
      let start = position
      try sequence(into: &rolls)
      guard rolls.endSequence() else {
        throw failure("a sequence of fewer than two frames", at: start)
      }
    } while accept(",")
    try expect("]")
    return rolls
  }

  private mutating func sequence(into rolls: inout PianoRolls) throws(PianoRollSyntaxError) {
    try expect("[")
    if accept("]") { return }
    repeat {
      let start = position
      try expect("[")
      if !accept("]") {
        repeat { rolls.append(note: try note()) } while accept(",")
        try expect("]")
      }
      guard rolls.endFrame() else { throw failure("a note twice in a frame", at: start) }
    } while accept(",")
    try expect("]")
  }

  private mutating func note() throws(PianoRollSyntaxError) -> UInt8 {
    skipSpace()
    let start = position
    var number = 0
    while position < bytes.count, case let digit = Int(bytes[position]) - 48, 0...9 ~= digit,
      position < start + 4
    {
      number = number * 10 + digit
      position += 1
    }
    let note = number - PianoRolls.lowestMIDI
    guard position > start, 0..<PianoRolls.noteCount ~= note else {
      throw failure("no MIDI note, 21 to 108,", at: start)
    }
    return UInt8(note)
  }

  private mutating func string() throws(PianoRollSyntaxError) -> String {
    try expect("\"")
    let start = position
    while position < bytes.count, bytes[position] != UInt8(ascii: "\"") { position += 1 }
    let name = String(decoding: bytes[start..<position], as: UTF8.self)
    try expect("\"")
    return name
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0a, 0x0d, 0x09: position += 1
      default: return
      }
    }
  }

  @inline(__always)
  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  @inline(__always)
  private mutating func expect(_ character: Unicode.Scalar) throws(PianoRollSyntaxError) {
    guard accept(character) else {
      throw failure("no \"\(Character(character))\"", at: position)
    }
  }

  private func failure(_ problem: String, at offset: Int) -> PianoRollSyntaxError {
    PianoRollSyntaxError(offset: offset, problem: problem)
  }
}
