import Foundation
import MemoryNets

/// A checkpoint with what the store of its sweep knows of the trial: enough to look into the net.
package struct ProbedCheckpoint {
  package let path: String
  /// The output folder of the sweep.
  package let directory: String
  package let checkpoint: Checkpoint
  package let identity: TrialIdentity
  package let configuration: TrialConfiguration

  /// The checkpoint at `path`, `DIR/checkpoints/TRIAL/NAME.ckpt`.
  package init(path: String) throws {
    let checkpoint = try Checkpoint(reading: path, fileSystem: DiskFileSystem())
    var folder = URL(fileURLWithPath: path)
    for _ in 0..<3 { folder.deleteLastPathComponent() }
    try self.init(path: path, checkpoint: checkpoint, directory: folder.path)
  }

  /// The weights that a trial of the sweep in `directory` ended with: its final checkpoint, else that of its
  /// best evaluation, else the newest; nil where none was kept.
  package init?(_ identity: TrialIdentity, in directory: String) throws {
    let folder = CheckpointFolder(
      root: directory + "/checkpoints", identity: identity.description)
    let steps = (try? folder.steps()) ?? []
    let paths = [folder.finalPath, folder.bestPath] + steps.reversed().map(folder.path(step:))
    guard let path = paths.first(where: FileManager.default.fileExists(atPath:)) else { return nil }
    let checkpoint = try Checkpoint(reading: path, fileSystem: DiskFileSystem())
    try self.init(path: path, checkpoint: checkpoint, directory: directory)
  }

  private init(path: String, checkpoint: Checkpoint, directory: String) throws {
    self.path = path
    self.checkpoint = checkpoint
    self.directory = directory
    guard ResultReader.exists(in: directory) else {
      throw ProbeError(
        description:
          "\(path): no \(StoreFile.name) in \(directory), which would say what net this is; "
          + "probe a checkpoint where its sweep left it")
    }
    let reader = try ResultReader(directory: directory)
    guard let identity = TrialIdentity(checkpoint.identity),
      let configuration = try reader.configuration(of: identity)
    else {
      throw ProbeError(
        description: "\(path): trial \(checkpoint.identity) has no result in \(directory); "
          + "probe it when it has ended")
    }
    self.identity = identity
    self.configuration = configuration
  }

  /// Measures the net; `assembly` makes its task and model.
  package func probe(_ assembly: TrialAssembly, options: ProbeOptions) throws -> MemoryProbe {
    let task = try assembly.task(of: configuration)
    let reader = try assembly.stateReader(of: configuration, shape: task.shape)
    try load(into: reader.parameters)
    return MemoryProbe(reader, task: task, options: options)
  }

  /// Puts the net's weights into the parameters of a model.
  func load(into parameters: ParameterStore) throws {
    guard
      checkpoint.section(named: "layout")?.json(ParameterLayout.self)
        == ParameterLayout(parameters),
      let weights = checkpoint.section(named: "weights")?.bytes,
      weights.count == parameters.count * parameters.precision.size
    else { throw ProbeError(description: "\(path): holds another model than its trial's") }
    parameters.load(weights)
  }
}

/// A checkpoint that cannot be probed: place, problem and remedy.
package struct ProbeError: Error, Hashable, CustomStringConvertible {
  package let description: String
}
