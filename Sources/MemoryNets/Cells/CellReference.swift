import Foundation

/// A reference file: one cell's inputs, outputs and gradients, computed by another program.
///
/// The format is that of `Tests/MemoryNetsTests/Fixtures/reference/make_reference.py`.
package struct CellReference: Decodable {
  package struct Array: Decodable {
    package let shape: [Int]
    package let values: [Double]
  }

  package let cell: String
  package let options: OptionDictionary
  package let inputSize: Int
  package let batch: Int
  package let steps: Int
  package let parameters: [String: Array]
  package let inputs: Array
  package let outputWeights: Array
  package let outputs: Array
  package let loss: Double
  package let gradients: [String: Array]

  private enum CodingKeys: String, CodingKey {
    case cell, options, batch, steps, parameters, inputs, outputs, loss, gradients
    case inputSize = "input_size"
    case outputWeights = "output_weights"
  }

  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    cell = try fields.decode(String.self, forKey: .cell)
    options = try fields.decode([String: JSONScalar].self, forKey: .options).mapValues(\.value)
    inputSize = try fields.decode(Int.self, forKey: .inputSize)
    batch = try fields.decode(Int.self, forKey: .batch)
    steps = try fields.decode(Int.self, forKey: .steps)
    parameters = try fields.decode([String: Array].self, forKey: .parameters)
    inputs = try fields.decode(Array.self, forKey: .inputs)
    outputWeights = try fields.decode(Array.self, forKey: .outputWeights)
    outputs = try fields.decode(Array.self, forKey: .outputs)
    loss = try fields.decode(Double.self, forKey: .loss)
    gradients = try fields.decode([String: Array].self, forKey: .gradients)
  }

  package init(contentsOf path: String) throws {
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      self = try JSONDecoder().decode(CellReference.self, from: data)
    } catch {
      throw CellReferenceError(path: path, problem: "not a reference file: \(error)")
    }
  }

  /// Runs the cell on the reference's inputs and gives the largest absolute errors, by name:
  /// `outputs`, `loss` and the gradient of each parameter and of the inputs.
  package func errors(
    path: String, precision: Precision = .double, instructionSet: InstructionSet = .best,
    disabledPasses: Set<PlanPass> = []
  ) throws -> [(name: String, error: Double)] {
    guard let kind = CellRegistry.kind(named: cell) else {
      let known = CellRegistry.all.map(\.name).joined(separator: ", ")
      throw CellReferenceError(
        path: path, problem: "cell \(cell): no such cell; there are \(known)")
    }
    let decoded = try decodeOptions(kind.defaults, from: options)
    let probe = CellProbe(
      cell: kind.make(decoded), inputSize: inputSize, steps: steps, batch: batch,
      precision: precision, instructionSet: instructionSet, disabledPasses: disabledPasses,
      isTraining: true)
    let names = probe.parameters.views.map(\.name)
    guard Set(names) == Set(parameters.keys) else {
      throw CellReferenceError(
        path: path,
        problem: "parameters \(parameters.keys.sorted()), but the cell has \(names.sorted())")
    }
    for view in probe.parameters.views {
      guard let given = parameters[view.name], given.shape == view.shape,
        given.values.count == view.count
      else {
        throw CellReferenceError(
          path: path, problem: "\(view.name) is not of the cell's shape \(view.shape)")
      }
      probe.parameters.set(view, to: given.values)
    }
    let expectedCount = steps * batch
    guard inputs.values.count == expectedCount * inputSize,
      outputs.values.count == expectedCount * probe.outputSize,
      outputWeights.values.count == outputs.values.count,
      gradients["inputs"]?.values.count == inputs.values.count
    else {
      throw CellReferenceError(
        path: path,
        problem: "inputs are (steps, batch, input_size), outputs and output_weights "
          + "(steps, batch, \(probe.outputSize)), gradients.inputs as inputs")
    }
    let loss = probe.run(inputs: inputs.values, outputWeights: outputWeights.values)
    var errors = [
      ("outputs", largestError(probe.outputs, outputs.values)), ("loss", abs(loss - self.loss)),
    ]
    for view in probe.parameters.views {
      let expected = gradients[view.name]?.values ?? []
      guard expected.count == view.count else {
        throw CellReferenceError(path: path, problem: "no gradient of \(view.name)")
      }
      errors.append(
        (
          "d \(view.name)",
          largestError(probe.parameters.doubles(view, gradient: true), expected)
        ))
    }
    errors.append(
      ("d inputs", largestError(probe.inputGradients, gradients["inputs"]?.values ?? [])))
    return errors
  }
}

/// A reference file that cannot be used.
package struct CellReferenceError: Error, CustomStringConvertible {
  package let path: String
  package let problem: String
  package var description: String { "\(path): \(problem)" }
}

private func largestError(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { largest, pair in
    let error = abs(pair.0 - pair.1)
    return error.isNaN ? .infinity : max(largest, error)
  }
}

/// A number, word or truth value of JSON.
private struct JSONScalar: Decodable {
  let value: OptionValue

  init(from decoder: any Decoder) throws {
    let scalar = try decoder.singleValueContainer()
    if let boolean = try? scalar.decode(Bool.self) {
      value = .boolean(boolean)
    } else if let integer = try? scalar.decode(Int.self) {
      value = .integer(integer)
    } else if let number = try? scalar.decode(Double.self) {
      value = .number(number)
    } else {
      value = .string(try scalar.decode(String.self))
    }
  }
}
