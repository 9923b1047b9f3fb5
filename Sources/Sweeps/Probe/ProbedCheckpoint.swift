import Foundation
import MemoryNets

/// A checkpoint with the configuration of its trial: enough to look into the net.
package struct ProbedCheckpoint {
  package let path: String
  /// The output folder of the sweep.
  package let directory: String
  /// Whether the store there has a result of the trial, beside which numbers can be put.
  package let hasResult: Bool
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
    let store = ResultReader.exists(in: directory) ? try ResultReader(directory: directory) : nil
    let identity = TrialIdentity(checkpoint.identity)
    let stored = try identity.flatMap { try store?.configuration(of: $0) }
    guard let identity, let configuration = try checkpoint.configuration() ?? stored else {
      throw ProbeError(
        description: "\(path): does not say what net it is, as checkpoints of earlier versions do "
          + "not, and \(directory) has no result of trial \(checkpoint.identity), which would; "
          + "leave it in the output folder of its sweep until the trial has ended")
    }
    self.identity = identity
    self.configuration = configuration
    hasResult = stored != nil
  }

  /// Measures the net; `assembly` makes its task and model.
  ///
  /// Throws `ProbeError` where what it carries has no limit, as a stack without one.
  package func probe(_ assembly: TrialAssembly, options: ProbeOptions) throws -> MemoryProbe {
    let task = try assembly.task(of: configuration)
    let reader: StateReader
    do {
      reader = try assembly.stateReader(
        of: configuration, shape: task.shape, after: checkpoint.step)
    } catch let problem as OptionProblem {
      throw ProbeError(
        description: "\(path): has no state of a fixed size, which is what a probe reads: "
          + "\(problem.option) \(problem.problem)")
    }
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
