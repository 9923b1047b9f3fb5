/// The stories of the bAbI tasks as words, in splits of our own.
///
/// A story is the lines from one numbered 1 to the next. Its words are in lower case, `.` and `?`
/// are words, and an answer is one word even where it lists several. Of every task the last tenth of
/// the stories of the training file is for validation.
package struct BabiStories: Sendable {
  /// The words of the stories of one split, one after the other.
  package struct Split: Sendable {
    package fileprivate(set) var words: [Int32] = []
    /// Story i is words[starts[i]..<starts[i + 1]].
    package fileprivate(set) var starts: [Int] = [0]
    /// By story: its task, 1...20.
    package fileprivate(set) var tasks: [Int] = []
    package var count: Int { tasks.count }
  }

  /// All words, in ascending order; a word is its position.
  package let vocabulary: [String]
  /// The word `?`, after which an answer stands.
  package let question: Int32
  package let digest: String
  package let train: Split
  package let validation: Split
  package let test: Split

  package subscript(split: DataSplit) -> Split {
    switch split {
    case .train: train
    case .validation: validation
    case .test: test
    }
  }

  /// The contents of a file and the task it is of.
  package typealias File = (task: Int, text: ArraySlice<UInt8>)

  /// Of a training and a test file for every task.
  package init(training: [File], testing: [File], digest: String) {
    var split = (train: [Story](), validation: [Story]())
    for file in training {
      let stories = Self.stories(file.text).map { Story(task: file.task, words: $0) }
      let kept = stories.count - stories.count / 10
      split.train += stories[..<kept]
      split.validation += stories[kept...]
    }
    self.init(
      train: split.train, validation: split.validation, test: Self.stories(testing),
      digest: digest)
  }

  /// Of one file or several for each split.
  package init(train: [File], validation: [File], test: [File]) {
    self.init(
      train: Self.stories(train), validation: Self.stories(validation), test: Self.stories(test),
      digest: "")
  }

  private struct Story {
    let task: Int
    let words: [String]
  }

  private init(train: [Story], validation: [Story], test: [Story], digest: String) {
    self.digest = digest
    var known: Set<String> = ["?"]
    for story in train + validation + test { known.formUnion(story.words) }
    vocabulary = known.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let numbers = Dictionary(
      uniqueKeysWithValues: vocabulary.enumerated().map { ($0.element, Int32($0.offset)) })
    question = numbers["?"] ?? 0
    func split(_ stories: [Story]) -> Split {
      var split = Split()
      for story in stories {
        split.words += story.words.map { numbers[$0] ?? 0 }
        split.starts.append(split.words.count)
        split.tasks.append(story.task)
      }
      return split
    }
    self.train = split(train)
    self.validation = split(validation)
    self.test = split(test)
  }

  private static func stories(_ files: [File]) -> [Story] {
    files.flatMap { file in stories(file.text).map { Story(task: file.task, words: $0) } }
  }

  /// The words of each story of a file.
  package static func stories(_ text: ArraySlice<UInt8>) -> [[String]] {
    var stories: [[String]] = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let columns = line.split(separator: UInt8(ascii: "\t"))
      let words = String(decoding: columns[0], as: UTF8.self).lowercased()
        .replacing(".", with: " . ").replacing("?", with: " ? ")
        .split(separator: " ").map(String.init)
      if words.first == "1" || stories.isEmpty { stories.append([]) }
      stories[stories.count - 1] += words.dropFirst()
      if columns.count > 1 {
        stories[stories.count - 1].append(String(decoding: columns[1], as: UTF8.self).lowercased())
      }
    }
    return stories
  }
}
