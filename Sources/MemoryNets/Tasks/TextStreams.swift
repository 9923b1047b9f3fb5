/// A text of `count` tokens cut into equally long rows, which are read side by side in pieces of
/// `unroll` steps.
///
/// Row r predicts the tokens from `rowLength` r on, each from those before it, the very first one of
/// the text from an `<eos>`.
struct TextStreams: Hashable {
  let count: Int
  let rows: Int
  let rowLength: Int
  let unroll: Int

  /// For training: rows of one length, which leave fewer tokens than there are rows.
  static func training(count: Int, rows: Int, unroll: Int) -> TextStreams {
    let rows = min(rows, count)
    return TextStreams(count: count, rows: rows, rowLength: count / rows, unroll: unroll)
  }

  /// For an evaluation: nothing is left out, the last row may be shorter.
  static func evaluation(count: Int, rows: Int, unroll: Int) -> TextStreams {
    let length = (count + rows - 1) / rows
    return TextStreams(
      count: count, rows: (count + length - 1) / length, rowLength: length, unroll: unroll)
  }

  /// Pieces of the rows; the last one may have fewer steps.
  var pieces: Int { (rowLength + unroll - 1) / unroll }

  /// Fills `batch` with piece `index` of the text that begins at token `start` of `split` and is read in
  /// a circle.
  func fill(_ batch: Batch, piece index: Int, of corpus: Corpus, _ split: DataSplit, start: Int = 0)
  {
    let first = index * unroll
    batch.resize(rows: rows, steps: min(unroll, rowLength - first))
    batch.firstStep = first
    for row in 0..<rows {
      let begin = row * rowLength + first
      for step in 0..<batch.steps {
        let place = step * rows + row
        // Behind the end of the text there is padding.
        let isWithin = begin + step < count
        let token = (start + begin + step) % count
        batch.tokens[place] =
          isWithin && token > 0 ? corpus.token(token - 1, of: split) : Vocabulary.endOfLineToken
        batch.classes[place] = isWithin ? corpus.token(token, of: split) : 0
        batch.weights[place] = isWithin ? 1 : 0
      }
    }
  }
}
