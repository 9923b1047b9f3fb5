/// What a checkpoint says of the data that its net was trained on.
package struct DataMark: Codable, Hashable, Sendable {
  /// The section of the checkpoint.
  package static let section = "data"

  /// Identifies the data files.
  package let digest: String
  /// Identifies which number stands for what; empty where tokens have no names.
  package let vocabulary: String

  package init(_ task: any SequenceTask) {
    digest = task.dataDigest
    vocabulary = task.vocabularyDigest
  }
}
