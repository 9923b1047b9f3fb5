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
  package var precision = Precision.float

  package init() {}

  package func validate() -> [OptionProblem] {
    var problems = OptionProblem.atLeastOne("layers", layers)
    for (name, size) in [("embedding_size", embeddingSize), ("readout_size", readoutSize)]
    where size < 0 {
      problems.append(OptionProblem(name, "is \(size); 0 is for none"))
    }
    if !(0..<1 ~= dropout) {
      problems.append(
        OptionProblem("dropout", "is \(dropout); 0 up to, not including, 1 is possible"))
    }
    return problems
  }
}
