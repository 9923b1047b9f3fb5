extension DataSplit {
  /// In the order of `allCases`.
  var position: Int {
    switch self {
    case .train: 0
    case .validation: 1
    case .test: 2
    }
  }
}

/// Which lines of which texts belong to which split.
struct SplitLines {
  private let options: CorpusOptions
  /// Lines of each text, for a division by share.
  private let lines: [Int]

  init(_ options: CorpusOptions, lines: [Int]) {
    self.options = options
    self.lines = lines
  }

  /// How many lines of text number `text` are trained on, and how many those and the lines of
  /// validation are together; nil where its name tells no split and splits go by names.
  func bounds(ofText text: Int, name: String) -> (train: Int, validation: Int)? {
    switch options.split {
    case .names:
      switch split(named: name) {
      case .train: return (.max, .max)
      case .validation: return (0, .max)
      case .test: return (0, 0)
      case nil: return nil
      }
    case .share:
      let count = text < lines.count ? lines[text] : 0
      let test = Int((Double(count) * options.testShare).rounded())
      let validation = Int((Double(count) * options.validationShare).rounded())
      return (max(count - test - validation, 0), count - test)
    }
  }

  private func split(named name: String) -> DataSplit? {
    for word in name.lowercased().split(whereSeparator: { !$0.isLetter }).reversed() {
      switch word {
      case "train", "training": return .train
      case "valid", "validation", "val", "dev": return .validation
      case "test": return .test
      default: continue
      }
    }
    return nil
  }
}

/// Where a reading of texts stands.
struct TextPosition {
  private let splits: SplitLines
  private(set) var text = -1
  private(set) var name = ""
  private var line = 0
  private var bounds: (train: Int, validation: Int)?
  /// Of the line that is read; nil where the text is left out.
  private(set) var split: DataSplit?

  init(_ splits: SplitLines) {
    self.splits = splits
  }

  mutating func begin(_ name: String) {
    self.name = name
    text += 1
    line = -1
    bounds = splits.bounds(ofText: text, name: name)
    endLine()
  }

  mutating func endLine() {
    line += 1
    split = bounds.map { line < $0.train ? .train : line < $0.validation ? .validation : .test }
  }
}

/// Counts the lines of each text.
struct LineCounter: TextVisitor {
  private(set) var counts: [Int] = []
  private var isLineOpen = false

  mutating func begin(_ name: String) {
    counts.append(0)
    isLineOpen = false
  }

  mutating func take(_ bytes: UnsafeRawBufferPointer) {
    guard let last = bytes.last else { return }
    counts[counts.count - 1] += bytes.count { $0 == UInt8(ascii: "\n") }
    isLineOpen = last != UInt8(ascii: "\n")
  }

  mutating func end() {
    if isLineOpen { counts[counts.count - 1] += 1 }
  }
}
