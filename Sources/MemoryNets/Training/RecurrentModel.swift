/// A model: input map, layers of a cell, read-out.
///
///     x -> embedding, one-hot or as it is -> cell -> dropout -> cell ... -> dropout
///       -> (linear -> ReLU ->) linear -> outputs
package struct RecurrentModel {
  package let options: ModelOptions
  package let cell: any RecurrentCell
  package let shape: TaskShape

  package init(options: ModelOptions, cell: any RecurrentCell, shape: TaskShape) {
    self.options = options
    self.cell = cell
    self.shape = shape
  }

  /// The problems of this model with this task, beyond those of the options by themselves.
  package func validate() -> [OptionProblem] {
    var problems = cell.problems(with: shape)
    if case .features = shape.input, options.embeddingSize > 0 {
      problems.append(
        OptionProblem(
          "embedding_size",
          "is \(options.embeddingSize); the task's inputs are vectors, not tokens: 0"))
    }
    if let start = cell.dataStart, options.layers > 1 {
      problems.append(
        OptionProblem(
          "initialization", "is \(start.name), which is for one layer; layers is \(options.layers)")
      )
    }
    return problems
  }

  /// The equations of one step.
  ///
  /// Parameters are named `embedding`, `layer0.W_x`, ...,
  /// `readout.hidden_W`, `readout.hidden_b`, `readout.W`, `readout.b`.
  package func recorded() -> StepGraph {
    let g = StepBuilder(maximumSteps: shape.maximumSteps)
    record(cell, in: g)
    return g.graph
  }

  /// The equations of what is trained first in the model's place, if anything is.
  ///
  /// Its parameters, `forerunner.layer0....`, come after the model's own.
  func recordedForerunner() -> StepGraph? {
    guard let forerunner = cell.dataStart?.forerunner else { return nil }
    let g = StepBuilder(maximumSteps: shape.maximumSteps, after: recorded().parameters)
    g.scope("forerunner") { record(forerunner, in: g) }
    return g.graph
  }

  private func record(_ cell: any RecurrentCell, in g: StepBuilder) {
    var x = input(g)
    for layer in 0..<options.layers {
      if layer > 0 { x = g.dropout(x, options.dropout) }
      x = g.scope("layer\(layer)") { cell.step(x, in: g) }
    }
    g.output(
      g.readout {
        g.scope("readout") {
          var y = g.dropout(x, options.dropout)
          if options.readoutSize > 0 {
            let size = options.readoutSize
            y = relu(g.linear("hidden_W", y, size) + g.bias("hidden_b", size))
          }
          return g.linear("W", y, shape.outputSize) + g.bias("b", shape.outputSize)
        }
      })
  }

  private func input(_ g: StepBuilder) -> Vector {
    switch shape.input {
    case .features(let size):
      return g.input(.features, size)
    case .tokens(let vocabulary) where options.embeddingSize == 0:
      return g.input(.oneHot, vocabulary)
    case .tokens(let vocabulary):
      let size = options.embeddingSize
      return g.group(.embedding) {
        g.lookup(
          "embedding", vocabulary: vocabulary, size, .uniform(1 / Double(size).squareRoot()))
      }
    }
  }
}

extension ParameterStore {
  /// The parameters that a graph declares, with the values that they start from under `key`.
  ///
  /// Each parameter is drawn under its own name, so that its start does not depend on the others.
  convenience init(_ declarations: [ParameterDeclaration], precision: Precision, key: PhiloxKey) {
    var offset = 0
    let views = declarations.map { declaration in
      let view = ParameterView(
        name: declaration.name, group: declaration.group, shape: declaration.shape, offset: offset,
        rate: declaration.rate, isDecayed: declaration.isDecayed)
      offset += view.count
      return view
    }
    self.init(precision: precision, views: views)
    for (view, declaration) in zip(views, declarations) {
      set(
        view,
        to: declaration.initializer.values(
          shape: declaration.shape, key: key.derived(declaration.name)))
    }
  }
}
