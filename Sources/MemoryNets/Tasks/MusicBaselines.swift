import Foundation

/// What predictors reach on the validation and test sets that use no memory.
///
/// `note frequencies` predicts in every frame that note j sounds with the probability
/// (n_j + 1) / (N + 2), n_j of the N predicted training frames holding it; `repeated frame`
/// predicts that nothing changes (its cross-entropy is infinite and not stated). Frame accuracy is
/// TP / (TP + FP + FN) over all predicted frames, threshold 0.5; a frame rightly predicted silent
/// adds nothing.
package func musicBaselines(_ data: PianoRollData) -> [TrivialBaseline] {
  let train = FrameCounts(data.train)
  let probability = train.notes.map { Double($0 + 1) / Double(train.frames + 2) }
  var baselines: [TrivialBaseline] = []
  for split in [DataSplit.validation, .test] {
    let counts = FrameCounts(data[split])
    var loss = 0.0
    var (right, predicted) = (0, 0)
    for (count, p) in zip(counts.notes, probability) {
      loss -= Double(count) * log(p) + Double(counts.frames - count) * log(1 - p)
      if p > 0.5 {
        right += count
        predicted += counts.frames
      }
    }
    let total = counts.notes.reduce(0, +)
    func add(_ name: String, _ metric: String, _ value: Double) {
      baselines.append(
        TrivialBaseline(name: name, metric: "\(split.rawValue).\(metric)", value: value))
    }
    func accuracy(_ right: Int, _ predicted: Int) -> Double {
      let union = predicted + total - right
      return union == 0 ? 0 : Double(right) / Double(union)
    }
    add("note frequencies", "loss", loss / Double(counts.frames))
    add("note frequencies", "frame_accuracy", accuracy(right, predicted))
    add("repeated frame", "frame_accuracy", accuracy(counts.held, counts.shown))
  }
  return baselines
}

/// Sums over the predicted frames of a split: all but the first of each sequence.
private struct FrameCounts {
  /// Frames with each note.
  var notes = [Int](repeating: 0, count: PianoRolls.noteCount)
  var frames = 0
  /// Notes of the frames before the predicted ones, and those of them that are held.
  var shown = 0
  var held = 0

  init(_ rolls: PianoRolls) {
    for sequence in 0..<rolls.count {
      let first = Int(rolls.frameStarts[sequence])
      for frame in first + 1...first + rolls.steps(of: sequence) {
        let before = rolls.notes[range(frame - 1, rolls)]
        let notes = rolls.notes[range(frame, rolls)]
        frames += 1
        shown += before.count
        for note in notes {
          self.notes[Int(note)] += 1
          if before.contains(note) { held += 1 }
        }
      }
    }
  }

  private func range(_ frame: Int, _ rolls: PianoRolls) -> Range<Int> {
    Int(rolls.noteStarts[frame])..<Int(rolls.noteStarts[frame + 1])
  }
}
