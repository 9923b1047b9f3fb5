/// Sequences of vectors of one size, one after the other.
package struct VectorSequences: Sendable {
  /// Numbers in a vector.
  package let size: Int
  /// Steps of each sequence.
  package private(set) var lengths: [Int] = []
  /// (sum of lengths, size), row-major.
  package private(set) var values: [Double] = []

  package init(size: Int) {
    self.size = size
  }

  /// Vectors in all sequences.
  package var count: Int { values.count / max(size, 1) }

  /// Adds a sequence, its vectors one after the other.
  package mutating func append(_ sequence: some Collection<Double>) {
    precondition(sequence.count % size == 0, "\(sequence.count) numbers in vectors of \(size)")
    guard !sequence.isEmpty else { return }
    lengths.append(sequence.count / size)
    values.append(contentsOf: sequence)
  }

  /// The numbers of each sequence.
  package var sequences: [ArraySlice<Double>] {
    var start = 0
    return lengths.map { length in
      defer { start += length * size }
      return values[start..<start + length * size]
    }
  }

  /// Every `stride`th vector of each sequence, from the first on.
  package func every(_ stride: Int) -> VectorSequences {
    var result = VectorSequences(size: size)
    for sequence in sequences {
      let length = sequence.count / size
      result.append(
        Swift.stride(from: 0, to: length, by: stride).flatMap { step in
          sequence[sequence.startIndex + step * size..<sequence.startIndex + (step + 1) * size]
        })
    }
    return result
  }
}
