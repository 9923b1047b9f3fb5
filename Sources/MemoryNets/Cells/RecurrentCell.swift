/// A memory cell: the equations of one time step.
package protocol RecurrentCell: Sendable {
  /// Records one step: what becomes of the input `x`, as the vector that the next layer or the
  /// read-out sees. Runs once a model.
  func step(_ x: Vector, in g: StepBuilder) -> Vector
  /// What is wrong with the options for a task of this shape; nothing for most cells.
  func problems(with shape: TaskShape) -> [OptionProblem]
  /// What computes weights from training sequences, where they are not all drawn.
  var dataStart: (any DataStart)? { get }
}

extension RecurrentCell {
  package func problems(with shape: TaskShape) -> [OptionProblem] { [] }
  package var dataStart: (any DataStart)? { nil }
}

/// A cell by name: its options and how to make it.
package struct CellKind: Sendable {
  package let name: String
  /// One sentence for `memsweep list`.
  package let summary: String
  /// The defaults, for schema and did-you-mean.
  package let defaults: any Options
  /// Makes the cell; `options` are of the type of `defaults`.
  package let make: @Sendable (_ options: any Options) -> any RecurrentCell

  package init<O: Options>(
    name: String, summary: String, options: O.Type,
    make: @escaping @Sendable (O) -> any RecurrentCell
  ) {
    self.name = name
    self.summary = summary
    self.defaults = O()
    self.make = { options in
      guard let options = options as? O else {
        preconditionFailure("options of \(type(of: options)), not \(O.self)")
      }
      return make(options)
    }
  }
}
