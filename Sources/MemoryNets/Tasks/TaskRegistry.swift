/// The tasks that a sweep file can name.
package enum TaskRegistry {
  /// In the order of `memsweep list tasks`.
  package static let all: [TaskKind] = [
    TaskKind(
      name: "associative_retrieval",
      summary: "Name the digit that was shown with a letter, after K pairs of both.",
      options: AssociativeRetrievalOptions.self
    ) { options, key, _ in
      try check(options, of: "associative_retrieval")
      let generator = AssociativeRetrieval(layout: options.layout, pairs: options.pairs)
      return GeneratedTask(generator, sizes: options.sizes, key: key)
    },
    TaskKind(
      name: "copy", summary: "Repeat a string of symbols after a delay.",
      options: CopyOptions.self
    ) { options, key, _ in
      try check(options, of: "copy")
      return GeneratedTask(Copy(options: options), sizes: options.sizes, key: key)
    },
    TaskKind(
      name: "adding", summary: "Add the two marked numbers of a sequence.",
      options: AddingOptions.self
    ) { options, key, _ in
      try check(options, of: "adding")
      return GeneratedTask(Adding(length: options.length), sizes: options.sizes, key: key)
    },
    TaskKind(
      name: "music", summary: "Predict the next frame of 88 notes in a set of piano-rolls.",
      options: MusicOptions.self
    ) { options, key, data in
      try check(options, of: "music")
      return MusicTask(options: options, rolls: try options.set.read(from: data), key: key)
    },
    TaskKind(
      name: "formal_language",
      summary: "Predict each symbol of a string of a formal language and its end.",
      options: FormalLanguageOptions.self
    ) { options, key, _ in
      try check(options, of: "formal_language")
      return FormalLanguageTask(options: options, key: key)
    },
    TaskKind(
      name: "flare", summary: "Tell whether a string belongs to a formal language of FLaRe.",
      options: FlareOptions.self
    ) { options, key, data in
      let archive = try FlareArchive(from: data)
      return FlareTask(
        options: options, data: try archive.strings(of: options.language),
        digest: FlareArchive.digest, key: key)
    },
  ]

  /// The kind of this name, or nil.
  package static func kind(named name: String) -> TaskKind? {
    all.first { $0.name == name }
  }

  private static func check(_ options: some Options, of task: String) throws(TaskError) {
    let problems = options.validate()
    guard problems.isEmpty else { throw .options(task: task, problems: problems) }
  }
}
