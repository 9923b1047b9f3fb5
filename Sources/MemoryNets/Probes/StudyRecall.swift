/// How well studied tokens are recognised, by when they were studied and when they are asked for.
///
/// For every list the queries are its tokens in random order, in all L cyclic shifts, so that every pair
/// of a study position and a query position occurs: once with every query of the list (`uniform`), once
/// with every second query replaced by a new token (`half`), once with new tokens alone. Morita
/// 2025, arXiv:2502.13729.
package struct StudyRecall: Hashable, Codable, Sendable {
  /// Of queries that are all of the list: (study position, query position).
  package let uniform: [[Double]]
  /// By query position: the part of new tokens that are told from the list, where all are new.
  package let rejection: [Double]
  /// By study position, where every second query is new.
  package let half: [Double]
  /// By query position: the part of new tokens that are told, where every second query is new; 0 where
  /// none is.
  package let halfRejection: [Double]

  /// By study position, the mean over query positions.
  package var byStudyPosition: [Double] {
    uniform.map { $0.reduce(0, +) / Double($0.count) }
  }

  /// Over `lists` lists of the streams of a key of their own.
  init(_ reader: StateReader, _ task: MemoryVerification, vocabulary: Int, lists: Int) {
    let length = task.length
    var uniform = Tally(rows: length, columns: length)
    var rejection = Tally(rows: 1, columns: length)
    var half = Tally(rows: length, columns: 1)
    var halfRejection = Tally(rows: 1, columns: length)
    let batch = Batch(shape: task.shape, maximumRows: StateReader.rows)
    let tokens = DistinctDraws(below: vocabulary, capacity: 2 * length)
    let order = DistinctDraws(below: length, capacity: length)
    for list in 0..<lists {
      var draws = PhiloxStream(key: PhiloxKey(0).derived("study lists"), stream: UInt64(list))
      tokens.draw(2 * length, &draws)
      order.draw(length, &draws)
      for kind in Kind.allCases {
        for first in stride(from: 0, to: length, by: StateReader.rows) {
          let rows = min(StateReader.rows, length - first)
          batch.resize(rows: rows, steps: 2 * length)
          for row in 0..<rows {
            for position in 0..<length {
              let studied = Int(order[(position + first + row) % length])
              let isStudied = kind.isStudied(position)
              let query = tokens[isStudied ? studied : length + position]
              task.set(batch, row, studied: tokens[position], query: query, isStudied, at: position)
            }
          }
          reader.run(batch)
          for row in 0..<rows {
            for position in 0..<length {
              let studied = Int(order[(position + first + row) % length])
              let says = reader.answer(row: row, step: length + position) == 1
              switch (kind, kind.isStudied(position)) {
              case (.present, _): uniform.count(studied, position, says)
              case (.absent, _): rejection.count(0, position, !says)
              case (.alternating, true): half.count(studied, 0, says)
              case (.alternating, false): halfRejection.count(0, position, !says)
              }
            }
          }
        }
      }
    }
    self.uniform = uniform.parts
    self.rejection = rejection.parts[0]
    self.half = half.parts.map { $0[0] }
    self.halfRejection = halfRejection.parts[0]
  }

  private enum Kind: CaseIterable {
    case present, absent, alternating

    func isStudied(_ position: Int) -> Bool {
      switch self {
      case .present: true
      case .absent: false
      case .alternating: position % 2 == 0
      }
    }
  }

  private struct Tally {
    private var right: [[Int]]
    private var all: [[Int]]

    init(rows: Int, columns: Int) {
      right = [[Int]](repeating: [Int](repeating: 0, count: columns), count: rows)
      all = right
    }

    mutating func count(_ row: Int, _ column: Int, _ isRight: Bool) {
      all[row][column] += 1
      right[row][column] += isRight ? 1 : 0
    }

    var parts: [[Double]] {
      zip(right, all).map { zip($0, $1).map { $1 == 0 ? 0 : Double($0) / Double($1) } }
    }
  }
}
