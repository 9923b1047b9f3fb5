import GRDB

/// The columns of a row, read without trusting that they hold what the schema says: in a damaged
/// file they may not, and GRDB's own subscripts trap.
struct StoreColumns {
  let row: Row
  let place: String

  func integer(_ column: Int) throws -> Int {
    guard let integer = try optionalInteger(column) else { throw mismatch(column) }
    return integer
  }

  func optionalInteger(_ column: Int) throws -> Int? {
    switch try storage(column) {
    case .null: nil
    case .int64(let integer): Int(integer)
    default: throw mismatch(column)
    }
  }

  /// A number; NULL is not-a-number.
  func number(_ column: Int) throws -> Double {
    try optionalNumber(column) ?? .nan
  }

  func optionalNumber(_ column: Int) throws -> Double? {
    switch try storage(column) {
    case .null: nil
    case .double(let number): number
    default: throw mismatch(column)
    }
  }

  func text(_ column: Int) throws -> String {
    guard let text = try optionalText(column) else { throw mismatch(column) }
    return text
  }

  func optionalText(_ column: Int) throws -> String? {
    switch try storage(column) {
    case .null: nil
    case .string(let text): text
    default: throw mismatch(column)
    }
  }

  private func storage(_ column: Int) throws -> DatabaseValue.Storage {
    guard column < row.count else { throw mismatch(column) }
    return (row[column] as DatabaseValue).storage
  }

  private func mismatch(_ column: Int) -> StoreError {
    .damaged(place: place, problem: "column \(column) of a row holds a value of another type")
  }
}
