/// The options of every model; the cell's own stand beside them under `model:`.
package struct ModelOptions: Options {
  /// The name of the cell, one of `CellRegistry`.
  package var cell = "lstm"
  /// Cells on top of each other.
  package var layers = 1
  /// The size of the token embedding.
  ///
  /// 0 gives one-hot tokens. Tasks of features take no embedding.
  package var embeddingSize = 0
  /// Units of a ReLU layer between the last cell and the outputs; 0 for none.
  package var readoutSize = 0
  /// The probability of dropping an element between layers and before the read-out.
  package var dropout = 0.0
  /// The probability of dropping an element of what the first layer sees.
  package var inputDropout = 0.0
  /// Whether the elements that are dropped are the same at all steps of a batch.
  package var lockedDropout = false
  /// Whether the rows of the embedding are the weights of the outputs, too.
  package var tied = false
  /// Every matrix that would be drawn otherwise is uniform between this number and its negative; 0
  /// leaves each as its cell has it.
  package var initialRange = 0.0
  package var precision = Precision.float

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems = OptionProblem.atLeastOne("layers", layers)
    for (name, size) in [("embedding_size", embeddingSize), ("readout_size", readoutSize)]
    where size < 0 {
      problems.append(OptionProblem(name, "is \(size); 0 is for none"))
    }
    for (name, value) in [("dropout", dropout), ("input_dropout", inputDropout)]
    where !(0..<1 ~= value) {
      problems.append(OptionProblem(name, "is \(value); 0 up to, not including, 1 is possible"))
    }
    if tied, embeddingSize == 0 {
      problems.append(
        OptionProblem("tied", "is true and embedding_size 0; outputs are tied to an embedding"))
    }
    if !(initialRange >= 0 && initialRange.isFinite) {
      problems.append(
        OptionProblem("initial_range", "is \(initialRange); 0 or a number above 0 is needed"))
    }
    return problems
  }
}
