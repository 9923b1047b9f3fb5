/// A model: input map, layers of a cell, read-out.
///
///     x -> embedding, one-hot or as it is -> dropout -> cell -> dropout -> cell ... -> dropout
///       -> (linear -> ReLU ->) linear -> outputs
///
/// Tied, the last linear map is the embedding: Press and Wolf 2017, arXiv:1608.05859.
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
    if options.tied, problems.isEmpty {
      if let problem = tyingProblem { problems.append(problem) }
    }
    if let start = cell.dataStart, options.layers > 1 {
      problems.append(
        OptionProblem(
          "initialization", "is \(start.name), which is for one layer; layers is \(options.layers)")
      )
    }
    return problems
  }

  /// Why the embedding cannot be the weights of the outputs, if it cannot.
  private var tyingProblem: OptionProblem? {
    guard case .tokens(let vocabulary) = shape.input, vocabulary == shape.outputSize else {
      return OptionProblem(
        "tied", "is true, and the task's outputs are not its input tokens; false is possible")
    }
    let g = StepBuilder(maximumSteps: shape.maximumSteps)
    let size = options.readoutSize > 0 ? options.readoutSize : layers(cell, in: g).size
    guard size != options.embeddingSize else { return nil }
    return OptionProblem(
      "tied",
      "is true, and the outputs read \(size) numbers, an embedding has "
        + "\(options.embeddingSize); embedding_size \(size) is possible")
  }

  /// The equations of one step.
  ///
  /// Parameters are named `embedding`, `layer0.W_x`, ...,
  /// `readout.hidden_W`, `readout.hidden_b`, `readout.W`, `readout.b`.
  package func recorded() -> StepGraph {
    let g = StepBuilder(maximumSteps: shape.maximumSteps)
    record(cell, in: g)
    return g.graph.drawn(within: options.initialRange)
  }

  /// The equations of what is trained first in the model's place, if anything is.
  ///
  /// Its parameters, `forerunner.layer0....`, come after the model's own.
  func recordedForerunner() -> StepGraph? {
    guard let forerunner = cell.dataStart?.forerunner else { return nil }
    let g = StepBuilder(maximumSteps: shape.maximumSteps, after: recorded().parameters)
    g.scope("forerunner") { record(forerunner, in: g) }
    return g.graph.drawn(within: options.initialRange)
  }

  private func record(_ cell: any RecurrentCell, in g: StepBuilder) {
    let embedding = options.tied ? g.parameterName("embedding") : nil
    let x = layers(cell, in: g)
    g.output(
      g.readout {
        g.scope("readout") {
          var y = dropout(x, options.dropout, g)
          if options.readoutSize > 0 {
            let size = options.readoutSize
            y = relu(g.linear("hidden_W", y, size) + g.bias("hidden_b", size))
          }
          let z =
            embedding.map { g.linear(g.weight(named: $0), y) }
            ?? g.linear("W", y, shape.outputSize)
          return z + g.bias("b", shape.outputSize)
        }
      })
  }

  /// What comes out of the last layer.
  private func layers(_ cell: any RecurrentCell, in g: StepBuilder) -> Vector {
    var x = dropout(input(g), options.inputDropout, g)
    for layer in 0..<options.layers {
      if layer > 0 { x = dropout(x, options.dropout, g) }
      x = g.scope("layer\(layer)") { cell.step(x, in: g) }
    }
    return x
  }

  private func dropout(_ x: Vector, _ probability: Double, _ g: StepBuilder) -> Vector {
    g.dropout(x, probability, locked: options.lockedDropout)
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

extension StepGraph {
  /// The graph with every matrix that is drawn from a distribution drawn uniformly from [-range,
  /// range], or as it is where the range is 0.
  fileprivate func drawn(within range: Double) -> StepGraph {
    guard range > 0 else { return self }
    var graph = self
    graph.parameters = parameters.map { parameter in
      guard parameter.shape.count == 2, parameter.initializer.isDrawn else { return parameter }
      var parameter = parameter
      parameter.initializer = .uniform(range)
      return parameter
    }
    return graph
  }
}

extension ParameterStore {
  /// The parameters that a graph declares, with the values that they start from under `key`.
  ///
  /// Each parameter is drawn under its own name, so that its start does not depend on the others.
  convenience init(
    _ declarations: [ParameterDeclaration], precision: Precision, key: PhiloxKey,
    gradientCount: Int, gradientRoom: UnsafeMutableRawPointer? = nil
  ) {
    var offset = 0
    let views = declarations.map { declaration in
      let view = ParameterView(
        name: declaration.name, group: declaration.group, shape: declaration.shape, offset: offset,
        rate: declaration.rate, isDecayed: declaration.isDecayed)
      offset += view.count
      return view
    }
    self.init(
      precision: precision, views: views, gradientCount: gradientCount, gradientRoom: gradientRoom)
    for (view, declaration) in zip(views, declarations) {
      set(
        view,
        to: declaration.initializer.values(
          shape: declaration.shape, key: key.derived(declaration.name)))
    }
  }
}
