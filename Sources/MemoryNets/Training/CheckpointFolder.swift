import Foundation

/// Which checkpoints of a finished trial stay.
package struct CheckpointRetention: Hashable, Sendable {
  /// The last ones of the training.
  package var last = 2
  /// The weights of the best evaluation; 0 or 1.
  package var best = 1
  /// The weights at the end.
  package var final = true

  package init() {}
}

/// The checkpoints of one trial: `step-N.ckpt`, `best.ckpt` and `final.ckpt` in a folder of its own.
///
/// At any moment of a training two whole checkpoints are there (once two were written): a crash
/// during a write leaves the others as they are.
package struct CheckpointFolder: Sendable {
  /// How many step checkpoints a running trial has.
  private static let kept = 2

  package let path: String
  package let identity: String
  private let fileSystem: any FileSystem

  /// The folder for the trial `identity` within `root`, the `checkpoints` folder of a sweep.
  package init(
    root: String, identity: String, fileSystem: any FileSystem = DiskFileSystem()
  ) {
    path = "\(root)/\(identity)"
    self.identity = identity
    self.fileSystem = fileSystem
  }

  package func path(step: Int) -> String { "\(path)/step-\(step).ckpt" }
  package var bestPath: String { "\(path)/best.ckpt" }
  package var finalPath: String { "\(path)/final.ckpt" }

  /// Writes the checkpoint of a step durably, then removes all but it and the one before.
  package func save(_ checkpoint: Checkpoint) throws(CheckpointError) {
    try write(checkpoint, to: path(step: checkpoint.step))
    let earlier = ((try? steps()) ?? []).filter { $0 < checkpoint.step }
    retain(steps: [checkpoint.step] + earlier.suffix(Self.kept - 1))
  }

  package func saveBest(_ checkpoint: Checkpoint) throws(CheckpointError) {
    try write(checkpoint, to: bestPath)
  }

  package func saveFinal(_ checkpoint: Checkpoint) throws(CheckpointError) {
    try write(checkpoint, to: finalPath)
  }

  /// The newest checkpoint of a step that is whole and of this trial, and what was wrong with newer
  /// ones, each in a line.
  package func latest() -> (checkpoint: Checkpoint?, notices: [String]) {
    var notices: [String] = []
    do throws(CheckpointError) {
      for step in try steps().reversed() {
        do throws(CheckpointError) {
          let path = path(step: step)
          let checkpoint = try Checkpoint(reading: path, fileSystem: fileSystem)
          guard checkpoint.identity == identity, checkpoint.step == step else {
            throw .foreign(
              path: path, problem: "is step \(checkpoint.step) of trial \(checkpoint.identity)")
          }
          return (checkpoint, notices)
        } catch {
          notices.append(error.description)
        }
      }
    } catch {
      notices.append(error.description)
    }
    return (nil, notices)
  }

  /// Leaves the last `count` step checkpoints, and removes what interrupted writes have left.
  package func removeSteps(exceptLast count: Int) {
    retain(steps: Array(((try? steps()) ?? []).suffix(count)))
    for name in (try? fileSystem.names(in: path)) ?? [] where name.hasSuffix(".partial") {
      try? fileSystem.remove("\(path)/\(name)")
    }
  }

  /// The steps of which there is a checkpoint, ascending.
  package func steps() throws(CheckpointError) -> [Int] {
    do throws(FileSystemError) {
      return try fileSystem.names(in: path).compactMap { name in
        guard name.hasPrefix("step-"), name.hasSuffix(".ckpt") else { return nil }
        return Int(name.dropFirst(5).dropLast(5))
      }.sorted()
    } catch {
      throw .unreadable(error)
    }
  }

  private func write(_ checkpoint: Checkpoint, to path: String) throws(CheckpointError) {
    precondition(checkpoint.identity == identity, "\(checkpoint.identity) in \(self.path)")
    do throws(FileSystemError) {
      if try fileSystem.names(in: self.path).isEmpty { try create() }
      try fileSystem.replace(path) { (write) throws(FileSystemError) in
        try checkpoint.encode(write)
      }
    } catch {
      throw .unwritable(error)
    }
  }

  /// Makes the folder, and durable that it and `checkpoints` are there.
  ///
  /// What is above the output folder is not opened: it may be unreadable.
  private func create() throws(FileSystemError) {
    try fileSystem.createDirectory(path)
    var above = path as NSString
    for _ in 0..<2 {
      above = above.deletingLastPathComponent as NSString
      try fileSystem.synchronizeDirectory(above as String)
    }
  }

  /// Removes the other steps; what cannot be removed does no harm.
  private func retain(steps kept: [Int]) {
    for step in (try? steps()) ?? [] where !kept.contains(step) {
      try? fileSystem.remove(path(step: step))
    }
  }
}
