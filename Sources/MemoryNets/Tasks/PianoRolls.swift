/// The piano-rolls of one split: sequences of frames of notes 0..<88.
package struct PianoRolls: Hashable, Sendable {
  package static let noteCount = 88
  /// The MIDI number of note 0.
  package static let lowestMIDI = 21

  /// The notes of all frames, ascending within a frame.
  package private(set) var notes: [UInt8] = []
  /// Frame f holds the notes noteStarts[f]..<noteStarts[f + 1].
  package private(set) var noteStarts: [Int32] = [0]
  /// Sequence i holds the frames frameStarts[i]..<frameStarts[i + 1].
  package private(set) var frameStarts: [Int32] = [0]

  package init() {}

  package var count: Int { frameStarts.count - 1 }
  package var frameCount: Int { noteStarts.count - 1 }

  /// The number of predictions in sequence `index`: every frame but the first is predicted.
  package func steps(of index: Int) -> Int {
    Int(frameStarts[index + 1] - frameStarts[index]) - 1
  }

  var byteCount: Int { notes.capacity + 4 * (noteStarts.capacity + frameStarts.capacity) }

  package var longestSteps: Int { (0..<count).reduce(0) { max($0, steps(of: $1)) } }

  /// Adds a note to the frame that is being written.
  package mutating func append(note: UInt8) { notes.append(note) }

  /// Ends the frame that is being written; false when a note stands in it twice.
  package mutating func endFrame() -> Bool {
    let start = Int(noteStarts[frameCount])
    var ascends = true
    for i in start..<notes.count where i > start && notes[i - 1] >= notes[i] { ascends = false }
    if !ascends { notes[start...].sort() }
    for i in start..<notes.count where i > start && notes[i - 1] == notes[i] { return false }
    noteStarts.append(Int32(notes.count))
    return true
  }

  /// Ends the sequence that is being written; false when it has nothing to predict.
  package mutating func endSequence() -> Bool {
    frameStarts.append(Int32(frameCount))
    return steps(of: count - 1) > 0
  }

  /// Writes the notes of `frame` as ones into `vector`, which holds 88 zeros.
  @inline(__always)
  package static func mark(
    frame: Int, notes: UnsafeBufferPointer<UInt8>, starts: UnsafeBufferPointer<Int32>,
    in vector: UnsafeMutablePointer<Float>
  ) {
    for i in Int(starts[frame])..<Int(starts[frame + 1]) { vector[Int(notes[i])] = 1 }
  }
}

/// The piano-rolls of a whole data set.
package struct PianoRollData: Hashable, Sendable {
  package var train = PianoRolls()
  package var validation = PianoRolls()
  package var test = PianoRolls()

  package init() {}

  package subscript(split: DataSplit) -> PianoRolls {
    switch split {
    case .train: train
    case .validation: validation
    case .test: test
    }
  }

  var byteCount: Int { train.byteCount + validation.byteCount + test.byteCount }

  /// The contents as bytes, however they were written in a file: each frame is its number of notes
  /// and the notes, 255 ends a sequence, 254 a split.
  package var canonicalBytes: [UInt8] {
    var bytes: [UInt8] = []
    for split in DataSplit.allCases {
      let rolls = self[split]
      bytes.reserveCapacity(bytes.count + rolls.frameCount + rolls.notes.count + rolls.count + 1)
      for sequence in 0..<rolls.count {
        let frames = rolls.frameStarts[sequence]..<rolls.frameStarts[sequence + 1]
        for frame in frames {
          let notes = rolls.noteStarts[Int(frame)]..<rolls.noteStarts[Int(frame) + 1]
          bytes.append(UInt8(notes.count))
          bytes += rolls.notes[Int(notes.lowerBound)..<Int(notes.upperBound)]
        }
        bytes.append(255)
      }
      bytes.append(254)
    }
    return bytes
  }
}
