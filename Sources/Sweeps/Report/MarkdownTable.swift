/// A table that is Markdown and lines up in a terminal.
package struct MarkdownTable {
  /// A column's heading and on which side its cells stand.
  package struct Column {
    let title: String
    let isNumeric: Bool

    package init(title: String, isNumeric: Bool = true) {
      self.title = title
      self.isNumeric = isNumeric
    }
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  package init(_ columns: [Column]) {
    self.columns = columns
  }

  /// Adds a row with a cell for every column.
  package mutating func append(_ cells: [String]) {
    precondition(cells.count == columns.count, "\(cells.count) cells, \(columns.count) columns")
    rows.append(cells.map(Self.escaped))
  }

  /// The lines of the table, each with its end.
  package var text: String {
    let titles = columns.map { Self.escaped($0.title) }
    let widths = columns.indices.map { column in
      max(3, titles[column].count, rows.lazy.map { $0[column].count }.max() ?? 0)
    }
    func line(_ cells: [String]) -> String {
      let padded = columns.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - cells[column].count)
        return columns[column].isNumeric ? space + cells[column] : cells[column] + space
      }
      return "| " + padded.joined(separator: " | ") + " |\n"
    }
    let rule = columns.indices.map { column in
      let dashes = String(repeating: "-", count: widths[column])
      return columns[column].isNumeric ? dashes + "-:" : "-" + dashes + "-"
    }
    return line(titles) + "|" + rule.joined(separator: "|") + "|\n" + rows.map(line).joined()
  }

  private static func escaped(_ cell: String) -> String {
    cell.replacing("|", with: "\\|").replacing("\n", with: " ")
  }
}
