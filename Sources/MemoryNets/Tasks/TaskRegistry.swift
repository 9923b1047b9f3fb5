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
    TaskKind(
      name: "mqar", summary: "Name the value of every key that comes up again, among fillers.",
      options: MultiQueryRecallOptions.self
    ) { options, key, _ in
      try check(options, of: "mqar")
      return options.task(key)
    },
    TaskKind(
      name: "key_value_capacity",
      summary: "Give the value of a key after as many pairs as a memory may hold.",
      options: KeyValueCapacityOptions.self
    ) { options, key, _ in
      try check(options, of: "key_value_capacity")
      let generator = KeyValueCapacity(
        size: options.size, setting: options.setting, keyVectors: options.keyVectors)
      return GeneratedTask(generator, sizes: options.sizes, key: key)
    },
    TaskKind(
      name: "mnist_pixels", summary: "Name the digit that was shown pixel by pixel.",
      options: MnistPixelsOptions.self
    ) { options, key, data in
      try check(options, of: "mnist_pixels")
      return StoredTask(MnistPixels(options: options, set: try MnistSet(from: data)), key: key)
    },
    TaskKind(
      name: "random_memorization",
      summary: "Give the number that stood some steps before an end that nothing announces.",
      options: RandomMemorizationOptions.self
    ) { options, key, _ in
      try check(options, of: "random_memorization")
      return GeneratedTask(RandomMemorization(options: options), sizes: options.sizes, key: key)
    },
    TaskKind(
      name: "memory_verification", summary: "Tell which tokens were on a studied list.",
      options: MemoryVerificationOptions.self
    ) { options, key, _ in
      try check(options, of: "memory_verification")
      let generator = MemoryVerification(vocabulary: options.vocabulary, length: options.length)
      return GeneratedTask(generator, sizes: options.sizes, key: key)
    },
    TaskKind(
      name: "repeat", summary: "Repeat a string of random length after its end.",
      options: RepeatOptions.self
    ) { options, key, _ in
      try check(options, of: "repeat")
      return GeneratedTask(Repeat(options: options), sizes: options.sizes, key: key)
    },
    TaskKind(
      name: "variable_binding",
      summary: "Hold vectors of signs and go on by a fixed linear rule of them.",
      options: VariableBindingOptions.self
    ) { options, key, _ in
      try check(options, of: "variable_binding")
      return GeneratedTask(VariableBinding(options: options), sizes: options.sizes, key: key)
    },
    TaskKind(
      name: "mackey_glass", summary: "Forecast a chaotic series.", options: MackeyGlassOptions.self
    ) { options, key, _ in
      try check(options, of: "mackey_glass")
      return GeneratedTask(MackeyGlass(options: options), sizes: options.sizes, key: key)
    },
    TaskKind(
      name: "delay", summary: "Give back a signal of limited band with several delays.",
      options: DelayOptions.self
    ) { options, key, _ in
      try check(options, of: "delay")
      return GeneratedTask(Delay(options: options), sizes: options.sizes, key: key)
    },
    TaskKind(
      name: "catbabi", summary: "Answer the questions in a stream of bAbI stories.",
      options: CatBabiOptions.self
    ) { options, key, data in
      try check(options, of: "catbabi")
      return CatBabi(options: options, set: try options.set.read(from: data), key: key)
    },
    TaskKind(
      name: "language_model", summary: "Predict each word or character of a text.",
      options: LanguageModelOptions.self
    ) { options, key, data in
      try check(options, of: "language_model")
      return try LanguageModelTask(options: options, corpus: try options.open(in: data), key: key)
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
