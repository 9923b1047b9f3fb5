/// Weights that are computed from training sequences before some updates, in the place of those that
/// were drawn.
///
/// A function of the update, of the weights as they then are and of the task alone, so that a training
/// that goes on from a checkpoint computes the same again.
package protocol DataStart: Sendable {
  /// What stands for it in `model.initialization`.
  var name: String { get }
  /// A cell that is trained in the place of the model's before update `firstUpdate`.
  ///
  /// Its model's parameters are named `forerunner.…`; it marks what is to be looked at with `observe`.
  var forerunner: (any RecurrentCell)? { get }
  /// The update from which on the model's own cell is trained.
  var firstUpdate: Int { get }
  /// Whether the inputs are looked at, or else what the cell that was trained so far has marked.
  var looksAtInputs: Bool { get }
  /// Training sequences that are looked at, at most.
  var sequenceLimit: Int { get }
  /// Features of the autoencoder that is fitted to them.
  var memorySize: Int { get }
  /// Whether weights are computed before update number `update`.
  func isDue(before update: Int) -> Bool
  /// Computes them.
  func set(_ weights: ParameterStore, from data: TrainingSequences, before update: Int)
}

extension DataStart {
  package var forerunner: (any RecurrentCell)? { nil }
  package var firstUpdate: Int { 0 }
  package var looksAtInputs: Bool { false }
}

/// Training sequences as a start looks at them.
package struct TrainingSequences {
  /// A right answer, after one of the vectors.
  package struct Answer {
    /// Counted over all sequences.
    package let vector: Int
    /// The outputs other than 0, each with its value.
    package let targets: [(output: Int, value: Double)]
  }

  package var vectors: VectorSequences
  package var answers: [Answer] = []

  package init(size: Int) {
    vectors = VectorSequences(size: size)
  }
}

extension ParameterStore {
  /// The numbers of a parameter that there is, row-major.
  package func numbers(_ name: String) -> [Double] { doubles(existing(name)) }

  package func shape(_ name: String) -> [Int] { existing(name).shape }

  /// Overwrites a parameter that there is.
  package func replace(_ name: String, by numbers: [Double]) { set(existing(name), to: numbers) }

  /// Overwrites a parameter that there is with one number.
  package func fill(_ name: String, with number: Double) {
    replace(name, by: [Double](repeating: number, count: existing(name).count))
  }

  private func existing(_ name: String) -> ParameterView {
    guard let view = view(named: name) else { preconditionFailure("there is no parameter \(name)") }
    return view
  }

  /// The map from the cell's output to what comes after it.
  package var firstReadout: String {
    view(named: "readout.hidden_W") == nil ? "readout.W" : "readout.hidden_W"
  }
}
